/** The endpoints of clusters: which are read, whether they can be, and what a reading would change. */

import { Type } from 'typebox';
import { orNull } from '../check.ts';
import { passAnswer, passShown } from '../cmdb/routes/passes.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { listOf, pageOfAll, pageQuery } from '../http/paging.ts';
import type { Store } from '../store/open.ts';
import { unknownCluster } from './checks.ts';
import { type ClusterParts, inWords, jobNames } from './job.ts';
import { listClusters } from './store.ts';

const ClusterOnTheWire = Type.Object(
  {
    name: Type.String({ description: 'as in the settings' }),
    source: Type.String(),
    job: Type.String({ description: 'reads it whole' }),
    light_job: Type.String({ description: 'reads what changed' }),
    guest_job: Type.String({ description: 'reads one guest, whose number is its parameter vmid' }),
    own_name: orNull(
      Type.String({ description: 'what it calls itself; null for a node that stands alone, or unread' }),
    ),
    nodes: Type.Array(Type.Object({ name: Type.String(), address: orNull(Type.String()) })),
    has_quorum: orNull(Type.Boolean()),
    read_at: orNull(Type.String({ description: 'when it was read whole last' })),
  },
  { title: 'ProxmoxCluster' },
);

export function clusterEndpoints(clusters: readonly ClusterParts[], store: Store): Endpoint[] {
  const get = (params: Record<string, string>): ClusterParts => {
    const found = clusters.find(({ name }) => name === params.cluster);
    if (!found)
      throw unknownCluster(
        String(params.cluster),
        clusters.map(({ name }) => name),
      );
    return found;
  };
  return [
    endpoint({
      method: 'GET',
      path: '/proxmox/clusters',
      scope: 'ci:read',
      tag: 'proxmox',
      summary: 'The clusters that are read, as they were last',
      query: Type.Object(pageQuery),
      answers: { 200: listOf(ClusterOnTheWire) },
      async handle({ query }) {
        const known = new Map((await listClusters(store.read)).map(({ source, ...itself }) => [source, itself]));
        const unread = { own_name: null, nodes: [], has_quorum: null, read_at: null };
        const rows = clusters.map(({ name, discovery: { source } }) => {
          const { full, light, guest } = jobNames(name);
          return { name, source, job: full, light_job: light, guest_job: guest, ...(known.get(source) ?? unread) };
        });
        return [200, pageOfAll(rows, query, ({ name }) => name)];
      },
    }),
    endpoint({
      method: 'POST',
      path: '/proxmox/clusters/{cluster}/rehearse',
      scope: 'jobs:run',
      tag: 'proxmox',
      summary: 'What reading a cluster now would change; nothing is written',
      answers: {
        200: Type.Object({
          ...passAnswer,
          waiting: Type.Array(Type.String(), { description: 'names of those that fit several items' }),
          left_out: Type.Array(Type.String(), { description: 'what could not be seen, in sentences' }),
        }),
      },
      async handle({ params }) {
        const { name, discovery, open, token } = get(params);
        try {
          const api = await open();
          const { pass, waiting, leftOut } = await discovery.read(api, { isFull: true, dryRun: true });
          return [200, { ...passShown(pass), dry_run: true, waiting, left_out: leftOut }];
        } catch (error) {
          throw await inWords(error, name, token);
        }
      },
    }),
  ];
}
