/** What `rollcall runs` says to a person. */

import { expect, test } from 'vitest';
import { callsOf, send } from '../runs/calls.ts';
import { startService } from '../service.ts';
import { besideOptions, besides, run } from './run.ts';

const runId = '73e2874e-2aa3-42ec-b7ec-9dd711a27b5b';
const more = {
  user: 'alice',
  controller: 'desk',
  limit: 'web*',
  tags: ['deploy'],
  change_ref: 'acme/infra#7',
  git: { commit: 'bbbbbbbbbbbbbbbbbb', branch: 'main', dirty: true },
  origin: { kind: 'github-actions', url: 'https://example.org/run/1' },
};

async function world() {
  const service = await startService();
  const rollcall = besides(service);
  await send(
    service,
    callsOf({
      startedAt: '2026-03-02T09:00:00Z',
      more: { git: { commit: 'aaaa', branch: 'main', dirty: false } },
      plays: [{ name: 'Web servers', tasks: { Install: [{ host: 'web-1', status: 'changed' }] } }],
    }),
  );
  const calls = callsOf({
    runId,
    outcome: 'failed',
    more,
    plays: [
      {
        name: 'Web servers',
        tasks: {
          'Gather facts': [
            { host: 'web-1', status: 'ok' },
            { host: 'web-2', status: 'unreachable', msg: 'no route to host' },
          ],
          Install: [{ host: 'web-1', status: 'failed', msg: 'no space left\non /var', attempts: [{ n: 1 }, { n: 2 }] }],
        },
      },
      {
        name: 'Databases',
        tasks: { Configure: [{ host: 'db-1', status: 'changed' }], Check: [{ host: 'db-1', status: 'ok' }] },
      },
    ],
  });
  return { service, rollcall, calls };
}

test('runs are listed, the newest first', async () => {
  const { service, rollcall, calls } = await world();
  await send(service, calls);

  const { code, stdout, stderr } = await rollcall('runs');

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [head, first, second] = stdout.split('\n');
  expect(head).toMatch(/^BEGUN +RUN +OUTCOME +TOOK +HOSTS +CHANGED +FAILED +UNREACHABLE +PLAYBOOK$/);
  expect(first).toMatch(/^2026-03-02 \d\d:\d\d +73e2874e-2aa3-\S+ +failed +1\.5 s +3 +1 +1 +1 +site\.yml$/);
  expect(second).toMatch(/ ok +1\.1 s +1 +1 +0 +0 +site\.yml$/);
  expect((await rollcall('runs', 'list', '--host', 'db-1', '--json')).stdout).toContain(runId);
  expect((await rollcall('runs', 'list', '--outcome', 'interrupted')).stdout).toContain('No run was reported yet.');
});

test('a run reads like a recap: what changed where, what failed and why, how long it took', async () => {
  const { service, rollcall, calls } = await world();
  await send(service, calls);

  const { code, stdout, stderr } = await rollcall('runs', 'show', '73e2874e');

  expect(code).toBe(0);
  expect(stderr.split('\n')).toEqual([
    'Not given out by the inventory of this service: db-1, web-1, web-2.',
    'What differs from the last run that went well: rollcall runs blame 73e2874e',
    '',
  ]);
  expect(stdout.replaceAll(/\d\d:\d\d/g, 'HH:MM').split('\n')).toEqual([
    `site.yml  failed after 1.5 s  2026-03-02 HH:MM  ${runId}`,
    'alice on desk, https://example.org/run/1, main bbbbbbbbbbbb with uncommitted changes, ansible-core 2.19.14, limit web*, tags deploy, for acme/infra#7',
    '',
    'PLAY Web servers  0.3 s',
    '  unreachable  Gather facts  0.1 s  /srv/site.yml:10',
    '               web-2: no route to host',
    '  failed       Install  0.1 s  /srv/site.yml:20',
    '               web-1 (after 3 attempts): no space left',
    '                 on /var',
    '',
    'PLAY Databases  0.5 s',
    '  changed      Configure  0.1 s',
    '               db-1',
    '',
    'HOST   OK  CHANGED  FAILED  UNREACHABLE  SKIPPED  RESCUED  IGNORED',
    'db-1   2   1        0       0            0        0        0',
    'web-1  1   0        1       0            0        0        0',
    'web-2  0   0        0       1            0        0        0',
    '',
  ]);
  const last = await rollcall('runs', 'show');
  expect(last.stdout).toBe(stdout);
  expect(await rollcall('runs', 'show', 'ffff')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('No run of the last 1000 begins with ffff.') as unknown,
  });
});

test('a run is followed until it ends, and the exit says how', async () => {
  const { service, calls } = await world();
  await send(service, calls.slice(0, 2));

  const shows = Promise.withResolvers<string>();
  const options = { ...besideOptions(service.folder), heard: shows.resolve };
  const watching = run(['runs', 'watch', runId, '--every', '0.2'], options);
  await Promise.race([shows.promise, watching]);
  await send(service, calls.slice(2));
  const { code, stdout } = await watching;

  expect(code).toBe(1);
  expect(stdout.split('\n')[0]).toBe('running  site.yml  1 ok, 0 changed, 1 failed, 1 unreachable  (play Web servers)');
  expect(stdout).toContain('PLAY Databases');
});

test('a failed run is shown beside the last one that went well', async () => {
  const { service, rollcall, calls } = await world();
  await send(service, calls);

  const { code, stdout } = await rollcall('runs', 'blame');

  expect(code).toBe(0);
  expect(
    stdout
      .replaceAll(/\d\d:\d\d/g, 'HH:MM')
      .replaceAll(/ [0-9a-f-]{36}/g, ' ID')
      .split('\n'),
  ).toEqual([
    'site.yml  failed after 1.5 s  2026-03-02 HH:MM  ID',
    'beside  site.yml  ok after 1.1 s  2026-03-02 HH:MM  ID',
    '',
    'web-1',
    '  failed  Install  /srv/site.yml:20',
    '    no space left',
    '    on /var',
    '    before: changed',
    '',
    'web-2',
    '  unreachable  Gather facts  /srv/site.yml:10',
    '    no route to host',
    '    before: it did not run there',
    '',
    'The run',
    '  commit  aaaa → bbbbbbbbbbbbbbbbbb',
    '  uncommitted changes  false → true',
    '  controller  - → desk',
    '  user  - → alice',
    '  limit  - → web*',
    '  tags  - → deploy',
    '  origin  - → github-actions',
    '',
    'The inventory',
    '  one of the two inventories is not kept any more, or is not of this service',
    '',
    'The machines',
    '  nothing differs',
    '',
    'The tasks',
    '  added Check',
    '  added Configure',
    '  added Gather facts',
    '',
  ]);
});
