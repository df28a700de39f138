/**
 * Which cluster a guest's node is of. Who knows a guest by node and number means the guest of the cluster that has
 * this node at that site, else of the only cluster that has a node of this name. Pure.
 */

import { guestOf } from './identity/marks.ts';
import type { Said } from './item.ts';
import type { ClusterNode } from './store/identity.ts';

export class Clusters {
  readonly #byNode = new Map<string, ClusterNode[]>();
  /** What was added since it was opened. */
  readonly added: ClusterNode[] = [];

  constructor(nodes: readonly ClusterNode[]) {
    for (const node of nodes) this.#enter(node);
  }

  #enter(node: ClusterNode): void {
    this.#byNode.set(node.node, [...(this.#byNode.get(node.node) ?? []), node]);
  }

  /** A hypervisor's word that a guest of its cluster is on this node. */
  learn(said: Said, source: string, defaultSite: string): void {
    const node = said.technical_specs?.node;
    if (said.pve === undefined || typeof node !== 'string') return;
    const known = {
      cluster: said.pve.slice(0, said.pve.lastIndexOf('/')).toLowerCase(),
      node: node.toLowerCase(),
      source,
      site_id: said.site_id ?? defaultSite,
    };
    const same = (one: ClusterNode) =>
      one.cluster === known.cluster && one.source === source && one.site_id === known.site_id;
    if (this.#byNode.get(known.node)?.some(same)) return;
    this.#enter(known);
    this.added.push(known);
  }

  /** `cluster/vmid`, where it is known which cluster is meant. */
  numberOf(said: Said, defaultSite: string): string | undefined {
    const guest = guestOf(said);
    if (guest === undefined) return undefined;
    const [node, vmid] = guest.split('/') as [string, string];
    const having = this.#byNode.get(node);
    if (!having) return undefined;
    const atSite = clustersOf(having.filter(({ site_id }) => site_id === (said.site_id ?? defaultSite)));
    const [cluster, ...others] = atSite.length > 0 ? atSite : clustersOf(having);
    return cluster !== undefined && others.length === 0 ? `${cluster}/${vmid}` : undefined;
  }
}

function clustersOf(nodes: readonly ClusterNode[]): string[] {
  return [...new Set(nodes.map(({ cluster }) => cluster))];
}
