/**
 * Which cluster it is that answers, and whether what it says can be trusted: what it calls itself, its nodes, its
 * quorum, and what the token may see. An address may answer for another cluster one day.
 */

import { number, object, text } from './answer.ts';
import type { Api } from './client.ts';
import { type Rights, readRights, seesGuests } from './rights.ts';
import { type Resources, readResources } from './rows.ts';
import type { KnownCluster } from './store.ts';
import { ProxmoxError, rowsIn } from './trouble.ts';

export type Itself = Omit<KnownCluster, 'source' | 'read_at'>;

export interface Looked {
  rights: Rights;
  itself: Itself;
  resources: Resources;
}

/** What the token may see before all else, then the cluster and its rows. Throws `permission` where that is no guest. */
export async function lookAtCluster(api: Api, before: Itself | undefined): Promise<Looked> {
  const rights = await rightsToSee(api);
  const mayAsk = rights.get('/')?.has('Sys.Audit') === true;
  const [rows, status] = await Promise.all([
    api.cluster.resources.$get(),
    mayAsk ? api.cluster.status.$get() : undefined,
  ]);
  const resources = readResources(rows);
  if (mayAsk) return { rights, itself: readStatus(status), resources };
  // Without the right nobody tells of the quorum. The names of nodes are shown to any token.
  const nodes = resources.nodes.map(({ node }) => ({ name: node, address: null }));
  return { rights, itself: { own_name: before?.own_name ?? null, nodes, has_quorum: true }, resources };
}

/** Throws `permission` where it may see no guest at all. */
export async function rightsToSee(api: Api): Promise<Rights> {
  const rights = readRights(await api.access.permissions.$get());
  if (seesGuests(rights)) return rights;
  throw new ProxmoxError('permission', 'the token may see no guest: it lacks VM.Audit on /vms');
}

function readStatus(data: unknown): Itself {
  const rows = rowsIn(data, 'the state of the cluster and its nodes').map(object);
  const cluster = rows.find(({ type }) => type === 'cluster');
  const nodes = rows.flatMap((row) => {
    const name = row.type === 'node' ? text(row.name) : undefined;
    return name === undefined ? [] : [{ name, address: text(row.ip) ?? null }];
  });
  if (nodes.length === 0) throw new ProxmoxError('protocol', 'the state of the cluster was answered without a node');
  return {
    own_name: text(cluster?.name) ?? null,
    nodes,
    has_quorum: !cluster || number(cluster.quorate) === 1,
  };
}

/** An address that answers for another cluster than before: nothing that it says is taken. */
export function refuseAnother(name: string, now: Itself, before: Itself | undefined): void {
  if (!before || before.nodes.length === 0 || now.nodes.length === 0) return;
  if (now.own_name === before.own_name && isAnyOf(now.nodes, before.nodes)) return;
  // A node that stood alone may join a cluster, and leave it.
  if ((now.own_name === null || before.own_name === null) && isAnyOf(now.nodes, before.nodes)) return;
  throw new ProxmoxError(
    'invalid',
    `its addresses answer for ${calledOf(now)}, and it was ${calledOf(before)} before. If that is right, withdraw what was said of the former with "rollcall sources withdraw proxmox-api:${name}"; else mend the addresses`,
  );
}

export function refuseStrange({ nodes }: Resources, before: Itself): void {
  if (nodes.length === 0) throw new ProxmoxError('protocol', 'it answered without a single node');
  if (before.nodes.length > 0 && !nodes.some(({ node }) => before.nodes.some((one) => one.name === node)))
    throw new ProxmoxError('invalid', `its addresses answer for other nodes than ${calledOf(before)}`);
}

/** `others` are those at the same site: two homes may have a node of the same name at the same address each. */
export function refuseTwice(now: Itself, others: readonly KnownCluster[]): void {
  const twin = others.find(
    (one) =>
      one.own_name === now.own_name &&
      one.nodes.some((node) => now.nodes.some((own) => own.name === node.name && own.address === node.address)),
  );
  if (twin)
    throw new ProxmoxError(
      'invalid',
      `it is ${calledOf(now)}, which ${twin.source} reads already: give all its addresses to one cluster in the settings`,
    );
}

function isAnyOf(nodes: Itself['nodes'], others: Itself['nodes']): boolean {
  return nodes.some(({ name }) => others.some((one) => one.name === name));
}

function calledOf({ own_name, nodes }: Itself): string {
  const names = nodes.map(({ name }) => name).join(', ');
  return own_name === null ? `the node ${names}` : `the cluster ${own_name} (${names})`;
}
