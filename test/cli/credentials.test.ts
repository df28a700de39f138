/** `rollcall credentials`: what people type, and what they read. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startService } from '../service.ts';
import { run as rollcall } from './run.ts';

type Json = Record<string, unknown>;

async function world(settings: object = {}) {
  const service = await startService({ settings: settings as Record<string, unknown> });
  for (const ci_name of ['pve1', 'web-1']) await service.call('POST', '/ci', { ci_name, ci_type: 'virtual_machine' });
  const env = { ROLLCALL_URL: service.url, ROLLCALL_TOKEN: service.adminToken };
  const run = (...words: string[]) => rollcall(['credentials', ...words], { folder: service.folder, env });
  const get = async (path: string) => (await service.call('GET', path)).body as Json;
  return { service, run, get };
}

test('one is added, read, altered, used, rotated, and put off', async () => {
  const { run, get } = await world();
  const words = ['--type', 'api_token', '--item', 'cmdb/pve', '--due', '2026-03-08', '--period', '90'];

  const outcomes = [
    await run('add', 'pve token', ...words, '--used-by', 'pve1:api', 'web-1'),
    await run('list'),
    await run('used-by', 'pve token', 'web-1', '--remove'),
    await run('edit', 'pve token', '--owner', 'ann@example.org', '--state', 'rotating'),
    await run('snooze', 'pve token', '--until', '3d', '--reason', 'moving'),
    await run('list', '--due', '7'),
    await run('snooze', 'pve token', '--end'),
    await run('rotated', 'pve token', '--note', 'by hand'),
    await run('show', 'pve token'),
    await run('history', 'pve token', '--limit', '1'),
  ];

  expect(outcomes.map(({ code, stderr }) => ({ code, stderr }))).toEqual(outcomes.map(() => ({ code: 0, stderr: '' })));
  const [added, list, unused, edited, snoozed, due, back, rotated, show, history] = outcomes.map(
    ({ stdout }) => stdout,
  );
  expect(added).toBe('pve token is recorded: it is due on 2026-03-08, in 6 days.\n');
  expect(list).toBe(
    'NAME       TYPE       STATE   DUE         DAYS LEFT  OWNER  ISSUE\npve token  api_token  active  2026-03-08  6          -      -\n',
  );
  expect(unused).toBe('web-1 uses pve token no more.\n');
  expect(edited).toBe('pve token is rotating: it is due on 2026-03-08, in 6 days.\n');
  expect(snoozed).toBe('pve token is snoozed until 2026-03-05: moving.\n');
  expect(due).toContain('6 (snoozed)');
  expect(back).toBe('pve token is snoozed no more: it is due on 2026-03-08, in 6 days.\n');
  expect(rotated).toBe('pve token is rotated: it is due on 2026-05-31, in 90 days.\n');
  expect(show).toMatch(/rotation_period_days +90 +the credential/);
  expect(show).toMatch(/pve1 +virtual_machine +site-home +api/);
  expect(show).toMatch(/2026-03-02T10:00:00.000Z +word +admin +by hand/);
  expect(history).toMatch(/^2026-03-02T10:00:00.000Z +#\d+ +rotated by manual:admin: by hand\n/);
  expect(history).toMatch(/last_rotated_at +- → 2026-03-02T10:00:00.000Z/);
  expect(await get('/credentials/pve token')).toMatchObject({
    owner_email: 'ann@example.org',
    lifecycle_state: 'active',
  });
});

test.each([
  ['a secret', ['add', 'pve', '--type', 'password', '--notes', 'password: hunter22'], 'looks like a secret'],
  ['no type', ['add', 'pve'], "required option '--type <type>'"],
  ['no such credential', ['rotated', 'ghost'], 'There is no credential ghost.'],
  ['a snooze without its reason', ['snooze', 'pve', '--until', '3d'], '--until and --reason'],
  ['nothing to alter', ['edit', 'pve'], 'Say what to alter'],
  ['a period that is none', ['add', 'pve', '--type', 'x', '--period', 'soon'], 'a number of days'],
  ['an item that is none', ['add', 'pve', '--type', 'x', '--used-by', 'ghost'], 'ghost'],
])('%s is told in a sentence, with exit 1', async (_, words, sentence) => {
  const { run } = await world();

  const { code, stdout, stderr } = await run(...words);

  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(sentence);
  expect(stderr).not.toContain('hunter22');
  expect(stderr).not.toMatch(/ {4}at /);
});

describe('import', () => {
  const yaml = `
- name: pve token
  type: api_token
  due: 2026-03-08
  used_by: [pve1:api, web-1]
- name: wildcard
  type: certificate
  expires: 2026-03-05
`;
  const csv =
    'name,type,owner,period,due,expires,used_by\npve token,api_token,"Doe, Ann",90,2026-03-08,,pve1:api;web-1\nwildcard,certificate,,,,2026-03-05,\n';

  test.each([
    ['credentials.yml', yaml],
    ['credentials.csv', csv],
  ])('%s is recorded whole, and once', async (name, text) => {
    const { service, run, get } = await world();
    writeFileSync(join(service.folder, name), text);

    const dry = await run('import', name, '--dry-run');
    const none = await get('/credentials');
    const done = await run('import', name);
    const again = await run('import', name);

    expect([dry, done, again].map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      [0, 0, 0].map((code) => ({ code, stderr: '' })),
    );
    expect(dry.stdout).toContain('Nothing was recorded: this was a dry run.');
    expect(none.count).toBe(0);
    expect(done.stdout).toContain('Recorded 2 credentials.');
    expect((await get('/credentials')).items).toMatchObject([
      { credential_name: 'pve token', due: '2026-03-08' },
      { credential_name: 'wildcard', due: '2026-03-05' },
    ]);
    expect((await get('/credentials/pve token/associations')).items).toMatchObject([
      { ci_name: 'pve1', role: 'api' },
      { ci_name: 'web-1', role: null },
    ]);
  });

  test.each([
    [
      'credentials.yml',
      '- name: a\n  type: x\n- name: b\n  typ: x\n',
      ['entry 2: typ is not a known key here; did you mean type?'],
    ],
    ['credentials.csv', 'name,type,due\na,x,2026-03-08\nb,x,soon\n', ['line 3: next_rotation_due must be a date']],
    ['credentials.csv', 'name,type\n"a,x\n', ['is no CSV']],
    ['credentials.yml', 'credentials: none\n', ['holds no list']],
    ['credentials.yml', '- name: a\n  type: x\n  password: hunter22\n', ['password is not a known key here']],
  ])('a fault in %s is told with its place, and nothing is recorded', async (name, text, sentences) => {
    const { service, run, get } = await world();
    writeFileSync(join(service.folder, name), text);

    const { code, stderr } = await run('import', name);

    expect(code).toBe(1);
    for (const sentence of sentences) expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('hunter22');
    expect((await get('/credentials')).count).toBe(0);
  });
});

test('a check without tracker and vault says what is due, and what is missing', async () => {
  const { run, get } = await world();
  await run('add', 'pve token', '--type', 'api_token', '--due', '2026-03-02');

  const dry = await run('check', '--dry-run');
  const done = await run('check');

  expect(dry.stdout).toContain('1 credential overdue or due within 14 days. Nothing was changed: this was a dry run.');
  expect(dry.stderr).toContain('github.repository is not in the settings');
  expect(done).toMatchObject({ code: 0 });
  expect((await get('/alerts')).items).toMatchObject([
    {
      kind: 'credential_due',
      subject: 'pve token',
      what_to_do: expect.stringContaining('is due today, 2026-03-02') as string,
    },
  ]);
});
