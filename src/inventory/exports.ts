/**
 * The inventory for tools near Ansible: Prometheus, ssh, and files of host names. They show what Ansible is told. What
 * a template or a vault would first have to fill in is left out, and so is every name that could be taken for more
 * than a name. Pure.
 */

import { isIP } from 'node:net';
import { isAddress } from './safe.ts';

/** A host as its variables tell it. */
export interface ExportedHost {
  name: string;
  ci_id: string;
  address: string | undefined;
  user: string | undefined;
  port: number | undefined;
  /** Ansible speaks to it over SSH. */
  isReachedBySsh: boolean;
  groups: readonly string[];
  about: Readonly<Record<string, unknown>>;
}

/** What Ansible's inventory JSON holds. */
export interface InventoryJson {
  _meta: { hostvars: Record<string, Record<string, unknown>> };
  [group: string]: { hosts?: string[]; children?: string[]; vars?: Record<string, unknown>; hostvars?: unknown };
}

const sshPort = 22;

type Groups = Readonly<Record<string, Omit<InventoryJson[string], 'hostvars'>>>;

/** In the order of their names, and how many have a name that no other tool could take. */
export function exportedHosts({ _meta, ...groups }: InventoryJson): { hosts: ExportedHost[]; unnameable: number } {
  const memberships = membershipsIn(groups);
  const all = Object.entries(_meta.hostvars);
  const hosts = all
    .filter(([name]) => isAddress(name))
    .map(([name, own]) => {
      const member = memberships(name);
      const vars = Object.assign({}, ...member.map((group) => groups[group]?.vars), own) as Record<string, unknown>;
      const about = (plain(own.rollcall) ?? {}) as Record<string, unknown>;
      const port = Number(plain(vars.ansible_port) ?? Number.NaN);
      const connection = plain(vars.ansible_connection) ?? 'ssh';
      return {
        name,
        ci_id: String(about.id),
        address: addressIn(vars.ansible_host),
        user: userIn(vars.ansible_user),
        port: Number.isInteger(port) ? port : undefined,
        isReachedBySsh: typeof connection === 'string' && /^(ssh|smart|paramiko(_ssh)?)$/.test(connection),
        groups: member.filter((group) => group !== 'all').sort(),
        about,
      };
    });
  return { hosts: hosts.sort((a, b) => (a.name < b.name ? -1 : 1)), unnameable: all.length - hosts.length };
}

/**
 * By host, all its groups in the order in which Ansible lets their variables count, the last one most.
 * https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#how-variables-are-merged
 */
function membershipsIn(groups: Groups): (host: string) => string[] {
  const [parents, own] = [new Map<string, string[]>(), new Map<string, string[]>()];
  const enter = (into: Map<string, string[]>, key: string, group: string) =>
    into.set(key, [...(into.get(key) ?? []), group]);
  for (const [group, { hosts = [], children = [] }] of Object.entries(groups)) {
    for (const host of hosts) enter(own, host, group);
    for (const child of children) enter(parents, child, group);
  }
  const depths = new Map<string, number>([['all', 0]]);
  const depthOf = (group: string): number => {
    const known = depths.get(group);
    if (known !== undefined) return known;
    const depth = 1 + Math.max(0, ...(parents.get(group) ?? []).map(depthOf));
    depths.set(group, depth);
    return depth;
  };
  const priorityOf = (group: string) => Number(groups[group]?.vars?.ansible_group_priority ?? 1);
  return (host) => {
    const found = new Set(['all', ...(own.get(host) ?? [])]);
    for (const group of found) for (const parent of parents.get(group) ?? []) found.add(parent);
    return [...found].sort(
      (a, b) => depthOf(a) - depthOf(b) || priorityOf(a) - priorityOf(b) || (a < b ? -1 : Number(a > b)),
    );
  };
}

/** Marks taken off. A vault value is nothing that can be shown. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const marked = value as Record<string, unknown>;
  if ('__ansible_unsafe' in marked) return marked.__ansible_unsafe;
  if ('__ansible_vault' in marked) return undefined;
  return Object.fromEntries(Object.entries(marked).map(([key, inner]) => [key, plain(inner)]));
}

function addressIn(value: unknown): string | undefined {
  const address = plain(value);
  return typeof address === 'string' && isAddress(address) ? address : undefined;
}

/** A template has braces and blanks. */
function userIn(value: unknown): string | undefined {
  const user = plain(value);
  return typeof user === 'string' && /^[\w][\w.@\\-]*$/.test(user) ? user : undefined;
}

/** https://prometheus.io/docs/prometheus/latest/http_sd/ */
export function prometheusTargets(hosts: readonly ExportedHost[], port: number) {
  return hosts.map(({ name, address, groups, about }) => ({
    targets: [`${bracketed(address ?? name)}:${port}`],
    labels: {
      __meta_rollcall_name: name,
      __meta_rollcall_groups: joined(groups),
      ...Object.fromEntries(
        Object.entries(about).flatMap(([key, value]) => {
          const text = labelOf(value);
          return text === undefined ? [] : [[`__meta_rollcall_${key.replaceAll(/\W/g, '_')}`, text]];
        }),
      ),
    },
  }));
}

/** What is deeper than a list is no label. */
function labelOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return joined(value);
  return ['string', 'number', 'boolean'].includes(typeof value)
    ? String(value as string | number | boolean)
    : undefined;
}

/** With commas around each, so that a rule can ask for `.*,web,.*`. */
function joined(values: readonly unknown[]): string {
  return values.length === 0 ? '' : `,${values.map(String).join(',')},`;
}

function bracketed(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}

/** https://man.openbsd.org/ssh_config */
export function sshConfig(hosts: readonly ExportedHost[]): string {
  return hosts
    .filter(({ isReachedBySsh }) => isReachedBySsh)
    .map(({ name, address, user, port }) =>
      [
        `Host ${name}`,
        ...(address === undefined ? [] : [`  HostName ${address}`]),
        ...(user === undefined ? [] : [`  User ${user}`]),
        ...(port === undefined ? [] : [`  Port ${port}`]),
      ].join('\n'),
    )
    .join('\n\n');
}

/** What an item tells of its host besides. */
export interface HostFacts {
  fqdn: unknown;
  ssh_host_keys: unknown;
}

const keyForm = /^[a-z0-9@.-]{1,60} [A-Za-z0-9+/]+={0,3}$/;

/** https://man.openbsd.org/sshd#SSH_KNOWN_HOSTS_FILE_FORMAT; keys that facts brought, and their word stands. */
export function knownHosts(hosts: readonly ExportedHost[], facts: ReadonlyMap<string, HostFacts>): string {
  return hosts
    .filter(({ isReachedBySsh }) => isReachedBySsh)
    .flatMap(({ name, address, port, ci_id }) => {
      const keys = facts.get(ci_id)?.ssh_host_keys;
      const written = typeof keys === 'object' && keys !== null ? Object.values(keys) : [];
      const names = [...new Set([name, ...(address === undefined ? [] : [address])])]
        .map((one) => (port === undefined || port === sshPort ? one : `[${one}]:${port}`))
        .join(',');
      return written
        .filter((key) => typeof key === 'string' && keyForm.test(key))
        .map((key) => `${names} ${String(key)}`);
    })
    .join('\n');
}

/** https://man7.org/linux/man-pages/man5/hosts.5.html; the full name first where it is known. */
export function hostsFile(hosts: readonly ExportedHost[], facts: ReadonlyMap<string, HostFacts>): string {
  return hosts
    .filter(({ address }) => address !== undefined && isIP(address) !== 0)
    .map(({ name, address, ci_id }) => {
      const fqdn = facts.get(ci_id)?.fqdn;
      const names = typeof fqdn === 'string' && isAddress(fqdn) && isIP(fqdn) === 0 ? [fqdn, name] : [name];
      return [address, ...new Set(names)].join('\t');
    })
    .join('\n');
}
