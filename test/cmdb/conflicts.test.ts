/** Conflicts, as they are listed. */

import { expect, test } from 'vitest';
import { startService } from '../service.ts';

async function world() {
  const service = await startService();
  const { call, app } = service;
  const machine = (ci_name: string) => ({ ci_type: 'machine', ci_name, external_id: ci_name });
  const items = ['a', 'b', 'c'].map(machine);
  await call('POST', '/passes', { source: 'import:home.yml', complete: true, items });
  const idOf = async (name: string) => ((await call('GET', `/ci/${name}`)).body as { ci_id: string }).ci_id;
  const claims = await app.store.read.selectFrom('claims').select(['claim_id', 'native_key']).execute();
  const claimOf = (key: string) => claims.find((claim) => claim.native_key === key)?.claim_id as string;
  const ask = async (key: string, candidates: string[], more: { until?: string } = {}) =>
    await app.store.write(
      async (trx) =>
        await trx
          .insertInto('conflicts')
          .values({
            conflict_id: `conflict-${key}`,
            claim_id: claimOf(key),
            candidates: JSON.stringify(candidates),
            reasons: JSON.stringify([`${key} has the MAC of two`]),
            since: `2026-03-02T10:00:0${key.charCodeAt(0) - 97}.000Z`,
            until: null,
            decision: null,
            ci_id: null,
            decided_by: null,
            ...more,
          })
          .execute(),
    );
  return { ...service, idOf, claimOf, ask };
}

test('open conflicts are listed with the claim, its candidates and the reasons', async () => {
  const { call, app, idOf, claimOf, ask } = await world();
  const [a, b] = [await idOf('a'), await idOf('b')];
  await ask('c', [claimOf('a'), claimOf('b')]);
  await ask('a', [claimOf('b'), claimOf('c')]);
  await ask('b', [claimOf('a')], { until: '2026-03-03T10:00:00.000Z' });
  await app.store.write(async (trx) => {
    await trx.updateTable('claims').set({ ci_id: null }).where('native_key', '=', 'c').execute();
  });

  const { status, body } = await call('GET', '/conflicts');
  const first = (await call('GET', '/conflicts?limit=1')).body as { next: string };
  const second = (await call('GET', `/conflicts?limit=1&cursor=${first.next}`)).body;

  const candidate = (ci_id: string, ci_name: string) => ({ ci_id, ci_name, ci_type: 'machine', site_id: 'site-home' });
  const rows = [
    {
      conflict_id: 'conflict-a',
      claim: { claim_id: claimOf('a'), source: 'import:home.yml', native_key: 'a', ci_name: 'a' },
      ci_id: a,
      candidates: [candidate(b, 'b')],
      reasons: ['a has the MAC of two'],
      since: '2026-03-02T10:00:00.000Z',
    },
    {
      conflict_id: 'conflict-c',
      claim: { claim_id: claimOf('c'), source: 'import:home.yml', native_key: 'c', ci_name: 'c' },
      ci_id: null,
      candidates: [candidate(a, 'a'), candidate(b, 'b')],
      reasons: ['c has the MAC of two'],
      since: '2026-03-02T10:00:02.000Z',
    },
  ];
  expect({ status, body }).toEqual({ status: 200, body: { count: 2, items: rows, next: null } });
  expect([first, second]).toMatchObject([
    { count: 2, items: [rows[0]] },
    { count: 2, items: [rows[1]], next: null },
  ]);
});

test('a claim that waits goes with its source, and so does the question', async () => {
  const { call, app, claimOf, ask } = await world();
  await ask('c', [claimOf('a')]);
  await app.store.write(async (trx) => {
    await trx.updateTable('claims').set({ ci_id: null }).where('native_key', '=', 'c').execute();
  });

  const { body } = await call('DELETE', '/sources/import:home.yml');

  expect(body).toMatchObject({ claims: { living: 0, gone: 3 } });
  expect((await call('GET', '/conflicts')).body).toMatchObject({ count: 0 });
});
