/** The endpoints of what tools near Ansible read. */

import { type Static, Type } from 'typebox';
import { type Answer, type Call, type Endpoint, endpoint } from '../http/endpoint.ts';
import type { Store } from '../store/open.ts';
import { bundleOf } from './bundle.ts';
import { type Exported, textFiles } from './export-files.ts';
import { exportedHosts, type InventoryJson, prometheusTargets } from './exports.ts';
import type { Inventory } from './inventory.ts';
import { inventoryQuery, questionOf } from './routes.ts';
import { loadHostFacts } from './store.ts';

const { host: _host, at: _at, ...narrowing } = inventoryQuery.properties;
const narrowQuery = Type.Object(narrowing);
const usualPort = 9100;

type NarrowCall = Pick<Call<Static<typeof narrowQuery>, undefined>, 'query' | 'header'>;

export function exportEndpoints(inventory: Inventory, store: Store): Endpoint[] {
  const served = async (call: NarrowCall) => {
    const { version, body } = await inventory.answer({ ...questionOf(call, inventory), isHere: false });
    return { version, body, exported: await exportedOf(body, store) };
  };
  return [
    endpoint({
      method: 'GET',
      path: '/inventory/exports/prometheus',
      scope: 'inventory:read',
      tag: 'inventory',
      summary: 'Targets as the HTTP service discovery of Prometheus reads them',
      description:
        'Labels are `__meta_rollcall_name`, `__meta_rollcall_groups` and those of the variable `rollcall`; lists have a comma around each value.',
      query: Type.Object({
        ...narrowing,
        port: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 65_535, description: `of the exporter; ${usualPort} unless given` }),
        ),
      }),
      answers: {
        200: Type.Array(
          Type.Object({ targets: Type.Array(Type.String()), labels: Type.Record(Type.String(), Type.String()) }),
        ),
      },
      async handle(call) {
        const { exported } = await served(call);
        return [200, prometheusTargets(exported.hosts, call.query.port ?? usualPort)];
      },
    }),
    ...textFiles.map(({ format, summary, write }) =>
      endpoint({
        method: 'GET',
        path: `/inventory/exports/${format}`,
        scope: 'inventory:read',
        tag: 'inventory',
        summary,
        query: narrowQuery,
        answers: { 200: { mediaType: 'text/plain' } },
        async handle(call): Promise<Answer> {
          const { version, exported } = await served(call);
          return [200, Buffer.from(write(version, exported)), { 'Content-Type': 'text/plain; charset=utf-8' }];
        },
      }),
    ),
    endpoint({
      method: 'GET',
      path: '/inventory/exports/bundle',
      scope: 'inventory:read',
      tag: 'inventory',
      summary: 'The files of a folder that works as an inventory without the service',
      query: narrowQuery,
      answers: {
        200: Type.Object({
          version: Type.String(),
          files: Type.Array(
            Type.Object({ path: Type.String(), content: Type.String(), is_executable: Type.Boolean() }),
          ),
        }),
      },
      async handle(call) {
        const { version, body, exported } = await served(call);
        const files = bundleOf(body, version, exported);
        return [
          200,
          {
            version,
            files: files.map(({ path, content, isExecutable }) => ({ path, content, is_executable: isExecutable })),
          },
        ];
      },
    }),
  ];
}

/** What other tools can take of an inventory as it was told, and what its items tell of their hosts besides. */
export async function exportedOf(body: Buffer, store: Store): Promise<Exported> {
  const { hosts, unnameable } = exportedHosts(JSON.parse(body.toString('utf8')) as InventoryJson);
  const facts = await loadHostFacts(
    store.read,
    hosts.map(({ ci_id }) => ci_id),
  );
  return { hosts, unnameable, facts };
}
