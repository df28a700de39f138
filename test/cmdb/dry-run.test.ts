/** What a write would come to, asked beforehand: the answer is that of the write, and nothing is kept. */

import { expect, test } from 'vitest';
import { startService } from '../service.ts';

type Row = Record<string, unknown>;

async function world() {
  const service = await startService();
  await service.call('POST', '/ci', { ci_name: 'db-1', owner: 'alice', tags: ['a'] });
  const web = (await service.call('POST', '/ci', { ci_name: 'web-1' })).body as Row;
  const standing = async () => ({
    items: (await service.call('GET', '/ci')).body,
    changes: (await service.call('GET', '/changes')).body,
    inventory: (await service.call('GET', '/inventory')).body,
    relationships: (await service.call('GET', '/ci/web-1/relationships')).body,
    pins: (await service.call('GET', '/ci/web-1/pins')).body,
    sites: (await service.call('GET', '/sites')).body,
    refusals: (await service.call('GET', '/refusals')).body,
  });
  return { ...service, web, standing };
}

/** Ids of new items are made anew each time. */
const settled = ({ status, body }: { status: number; body: unknown }) => {
  const { ci_id: _, ...rest } = body as Row;
  return { status, body: rest };
};

test.each<[method: string, path: string, body?: unknown]>([
  ['POST', '/ci', { ci_name: 'new-1', site_id: 'site-new', notes: 'not seen before' }],
  ['POST', '/ci', { ci_name: 'db-1', tags: ['b'] }],
  ['PUT', '/ci/db-1', { owner: 'bob', technical_specs: { cpu_cores: 4 } }],
  ['PATCH', '/ci/db-1', { owner: null }],
  ['PUT', '/ci/by-name/db-1', { ci_status: 'retired' }],
  ['DELETE', '/ci/db-1'],
  ['PUT', '/ci/db-1/hold', { reason: 'new disk', until: '2h' }],
  ['DELETE', '/ci/db-1/hold'],
  ['PUT', '/ci/db-1/pins/environment', { value: 'lab', reason: 'tests' }],
  ['DELETE', '/ci/db-1/pins/environment'],
  ['PUT', '/ci/web-1/relationships/depends_on/db-1', { relationship_strength: 'critical' }],
])('%s %s, rehearsed, answers as the write does and changes nothing', async (method, path, body) => {
  const { call, standing } = await world();
  const before = await standing();

  const rehearsed = await call(method, `${path}?dry_run=true`, body);

  expect(await standing()).toEqual(before);
  expect(settled(await call(method, path, body))).toEqual(settled(rehearsed));
});

test('what would be taken back is told, and stands', async () => {
  const { call, standing } = await world();
  const path = '/ci/web-1/relationships/depends_on/db-1';
  await call('PUT', path);
  const before = await standing();

  const rehearsed = await call('DELETE', `${path}?dry_run=true`);

  expect(rehearsed).toMatchObject({ status: 200, body: { ci_name: 'db-1', still_said_by: [] } });
  expect(await standing()).toEqual(before);
});

test('what would be refused is refused, and is no lost write', async () => {
  const { call, standing } = await world();
  const before = await standing();

  const rehearsed = await call('PUT', '/ci/db-1?dry_run=true', { ownr: 'bob' });

  expect(rehearsed).toMatchObject({ status: 400, body: { errors: [{ pointer: '/ownr' }] } });
  expect(await standing()).toEqual(before);
});
