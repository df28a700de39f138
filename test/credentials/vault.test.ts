/** From the vault to the issue: a password that is changed there marks its credential rotated here, and closes the issue. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openLog } from '../../src/log.ts';
import { type Service, startService, temporaryFolder } from '../service.ts';
import { startGithubSim } from '../sims/github-sim.mjs';
import { canary, idOf, item, key, standIn } from '../vaultwarden/world.ts';

type Json = Record<string, unknown>;
const token = 'github_pat_CANARY0123456789';
const itemsOf = (body: unknown) => (body as { items: Json[] }).items;

const login = (number: number, name: string, changed: string | null, more: object = {}) =>
  item(number, name, canary, {
    login: { username: 'admin', password: canary, totp: canary, passwordRevisionDate: changed },
    notes: canary,
    fields: [{ name: 'hidden', value: canary, type: 1 }],
    ...more,
  });

async function world(items: readonly object[], more: { policies?: object; watch?: object } = {}) {
  const sim = await startGithubSim({ token, collaborators: ['ann'] });
  onTestFinished(() => sim.close());
  const vault = standIn({ items });
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'session'), key, { mode: 0o600 });
  const logged: string[] = [];
  const service = await startService({
    folder,
    settings: {
      credentials: { policies: more.policies ?? {} },
      github: { repository: 'octo/infra', base_url: sim.url, token: 'env:GITHUB', default_assignees: ['ann'] },
      vaultwarden: { bw: vault.bw, session: `file:${folder}/session`, ...(more.watch ? { watch: more.watch } : {}) },
    },
    env: { GITHUB: token, CANARY: canary },
    log: openLog('debug', 'json', (line) => void logged.push(line)),
  });
  const check = async (name = 'check-credentials') =>
    (await service.call('POST', `/jobs/${name}/run`, { wait: true })).body as Json;
  const add = async (words: Json) => {
    const made = await service.call('POST', '/credentials', { credential_type: 'api_token', ...words });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
  };
  return { sim, vault, service, logged, check, add, get: getter(service) };
}

const getter =
  ({ call }: Service) =>
  async (path: string) =>
    (await call('GET', path)).body as Json;

test('a password that is changed in the vault rotates its credential and closes its issue', async () => {
  const { sim, vault, service, check, add, get } = await world([login(1, 'cmdb/pve', null)]);
  await add({
    credential_name: 'pve',
    vaultwarden_item_id: idOf(1),
    rotation_period_days: 90,
    next_rotation_due: '2026-03-05',
  });

  const first = await check();
  service.pass({ hours: 24 });
  vault.change({ items: [login(1, 'cmdb/pve', '2026-03-03T08:00:00.000Z')] });
  const second = await check();
  const third = await check();

  expect(first).toMatchObject({ outcome: 'good', rotated: 0, opened: 1 });
  expect(second).toMatchObject({ outcome: 'good', rotated: 1, closed: 1 });
  expect(third).toMatchObject({ outcome: 'good', rotated: 0, closed: 0 });
  expect(await get('/credentials/pve')).toMatchObject({
    last_rotated_at: '2026-03-03T08:00:00.000Z',
    next_rotation_due: '2026-06-01',
    issue: { number: 1, state: 'closed' },
  });
  expect(sim.issues()).toMatchObject([{ number: 1, state: 'closed', state_reason: 'completed' }]);
  expect(await get('/credentials/pve/explain')).toMatchObject({
    rotations: [{ evidence: 'password_revision', recorded_by: 'vaultwarden', change_ref: 'octo/infra#1' }],
  });
});

test('where the policy wants a word, the vault alone closes nothing', async () => {
  const policies = { api_token: { evidence: 'word' } };
  const { vault, service, check, add, get } = await world([login(1, 'cmdb/pve', null)], { policies });
  await add({ credential_name: 'pve', vaultwarden_item_id: 'cmdb/pve', next_rotation_due: '2026-03-05' });
  service.pass({ hours: 24 });
  vault.change({ items: [login(1, 'cmdb/pve', '2026-03-03T08:00:00.000Z')] });

  expect(await check()).toMatchObject({ rotated: 0, opened: 1 });
  expect(await get('/credentials/pve')).toMatchObject({ last_rotated_at: null });
});

test('a date that went back needs a person, and moves nothing', async () => {
  const { vault, service, check, add, get } = await world([login(1, 'cmdb/pve', '2026-02-20T08:00:00.000Z')]);
  await add({ credential_name: 'pve', vaultwarden_item_id: idOf(1), last_rotated_at: '2026-02-21' });
  await check();
  service.pass({ hours: 24 });
  vault.change({ items: [login(1, 'cmdb/pve', null)] });

  expect(await check()).toMatchObject({ rotated: 0 });
  expect(itemsOf(await get('/credentials/vault'))).toMatchObject([{ kind: 'went_back', credential_name: 'pve' }]);
  expect(itemsOf(await get('/alerts'))).toMatchObject([{ kind: 'vault_date', subject: 'pve', until: null }]);
});

test('items without a record are listed, and records without an item', async () => {
  const items = [
    login(1, 'infra/db', null, { folderId: 'f1' }),
    login(2, 'infra/known', null, { folderId: 'f1' }),
    login(3, 'shopping', null),
    login(4, 'infra/old', null, { folderId: 'f1', deletedDate: '2026-01-01T00:00:00.000Z' }),
  ];
  const { vault, check, add, get } = await world(items, { watch: { folder: 'infra' } });
  vault.change({ folders: [{ id: 'f1', name: 'infra' }] });
  for (const [credential_name, vaultwarden_item_id] of [
    ['known', 'infra/known'],
    ['gone', idOf(9)],
    ['binned', 'infra/old'],
    ['part', 'infra'],
  ] as const)
    await add({ credential_name, vaultwarden_item_id });

  expect(await check()).toMatchObject({ outcome: 'good', unfitting: 4 });
  const rows = itemsOf(await get('/credentials/vault')).map(({ kind, credential_name, item_name }) => ({
    kind,
    credential_name,
    item_name,
  }));
  expect(rows).toHaveLength(4);
  expect(rows).toEqual(
    expect.arrayContaining([
      { kind: 'missing', credential_name: 'gone', item_name: idOf(9) },
      { kind: 'missing', credential_name: 'part', item_name: 'infra' },
      { kind: 'trashed', credential_name: 'binned', item_name: 'infra/old' },
      { kind: 'untracked', credential_name: null, item_name: 'infra/db' },
    ]),
  );
});

test.each([
  ['is locked', { status: 'locked', session: 'b3RoZXI=' }, 'locked'],
  ['is logged out', { status: 'unauthenticated' }, 'logged in'],
  ['does not reach its server', { faults: { sync: 'offline' } }, 'sync'],
])('a vault that %s keeps no issue from being opened, and is told', async (_, state, words) => {
  const { sim, vault, check, add } = await world([login(1, 'cmdb/pve', null)]);
  await add({ credential_name: 'pve', vaultwarden_item_id: idOf(1), next_rotation_due: '2026-03-05' });
  vault.change(state);

  const run = await check();

  expect(run).toMatchObject({ outcome: 'partial', opened: 1 });
  expect(run.error).toContain('The vault could not be read');
  expect(String(run.error).toLowerCase()).toContain(words);
  expect(sim.issues()).toHaveLength(1);
});

test('nothing of what the vault holds is found anywhere', async () => {
  const old = { password: canary, lastUsedDate: '2026-02-01T00:00:00.000Z' };
  const { sim, vault, service, logged, check, add, get } = await world([
    login(1, 'cmdb/pve', null, { passwordHistory: [old] }),
    login(2, 'cmdb/other', null),
  ]);
  await add({ credential_name: 'pve', vaultwarden_item_id: idOf(1), next_rotation_due: '2026-03-05' });
  await check();
  service.pass({ hours: 24 });
  vault.change({ items: [login(1, 'cmdb/pve', '2026-03-03T08:00:00.000Z'), login(2, 'cmdb/other', null)] });
  await check();
  await check('follow-credentials');

  const paths = [
    '/credentials',
    '/credentials/pve/explain',
    '/credentials/vault',
    '/changes',
    '/jobs/runs',
    '/alerts',
    '/checks',
  ];
  const answers = await Promise.all(paths.map(get));
  const rehearsed = await service.call('POST', '/credentials/rehearse');
  const data = join(service.folder, 'data');
  const files = ['rollcall.db', 'rollcall.db-wal'].map((name) => readFileSync(join(data, name)).toString('latin1'));
  const told = JSON.stringify([answers, rehearsed.body, logged, sim.state.repos.get('octo/infra'), sim.issues()]);

  expect(logged.length).toBeGreaterThan(10);
  expect(vault.runs().length).toBeGreaterThan(3);
  for (const secret of [canary, key, token])
    for (const text of [told, ...files]) expect(text.includes(secret)).toBe(false);
  for (const { argv, sessionVia } of vault.runs()) {
    expect(argv.join(' ')).not.toContain(key);
    expect(sessionVia).not.toBe('argv');
  }
});
