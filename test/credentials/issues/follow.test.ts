/** What follows from a word at once, what a rehearsal tells, the tracker's own token, and no secret anywhere. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { type Json, startWorld, token } from './world.ts';

const due = '2026-03-10';

test('what is not under way waits for the day, and asks the tracker nothing', async () => {
  const { add, follow, say, sim, open, run } = await startWorld();
  const id = await add({ next_rotation_due: due });
  await follow();
  const before = sim.log.length;
  await run();
  const { length } = sim.log;

  await say('PATCH', `/credentials/${id}`, { notes: 'behind the router' });
  await say('POST', `/credentials/${id}/snooze`, { until: '3d', reason: 'moving' });

  expect(before).toBe(0);
  expect(sim.log).toHaveLength(length);
  expect(open()).toEqual([1]);
});

test('a rotation closes the issue without anybody asking for it', async () => {
  const { service, add, run, issue, comments } = await startWorld();
  const id = await add({ next_rotation_due: due });
  await run();
  service.pass({ seconds: 1 });

  await service.call('POST', `/credentials/${id}/rotated`, { next_rotation_due: '2026-09-01' });

  await expect.poll(() => issue(1).state).toBe('closed');
  expect(comments(1)).toHaveLength(1);
});

test('a rotation is done for the issue that asks for it, unless another one was named', async () => {
  const { add, run, say, later, service, comments } = await startWorld();
  const id = await add({ next_rotation_due: due, rotation_period_days: 30 });
  await run();

  await say('POST', `/credentials/${id}/rotated`);
  await later(20);
  await say('POST', `/credentials/${id}/rotated`, { change_ref: 'acme/work#7' });

  const { items } = (await service.call('GET', `/credentials/${id}/changes`)).body as { items: Json[] };
  expect(items.filter(({ action }) => action === 'rotated').map((one) => one.change_ref)).toEqual([
    'acme/work#7',
    'octo/infra#1',
  ]);
  expect(comments(1).join()).not.toContain('Done for');
  expect(comments(2).join()).toContain('Done for `acme/work#7`.');
});

test('a rehearsal tells what would be done, and does nothing', async () => {
  const { service, add, run, later, say, act, sim } = await startWorld({ github: { max_creates_per_run: 1 } });
  const rehearse = async () => (await service.call('POST', '/credentials/rehearse')).body;
  const moved = await add({ credential_name: 'moved', next_rotation_due: '2026-03-05' });
  await add({ credential_name: 'older', next_rotation_due: '2026-03-08' });
  await add({ credential_name: 'quiet', next_rotation_due: '2026-03-15' });
  const first = await rehearse();
  for (let time = 0; time < 3; time += 1) await run();
  const calm = await rehearse();
  await later(6);
  await say('PATCH', `/credentials/${moved}`, { next_rotation_due: '2026-03-06' });
  await act('PATCH', '/issues/2', { state: 'closed' });
  await act('DELETE', '/issues/3', {});
  const sent = sim.log.length;

  const last = await rehearse();

  const told = (actions: unknown[]) => ({ has_tracker: true, has_vault: false, actions });
  const action = (credential_name: string, does: string, issue_number: number | null) => ({
    credential_name,
    action: does,
    issue_number,
  });
  expect(first).toEqual(
    told([
      action('moved', 'open', null),
      action('older', 'wait for a later run', null),
      action('quiet', 'wait for a later run', null),
    ]),
  );
  expect(calm).toEqual(told([]));
  expect(last).toEqual(told([action('older', 'reopen', 2), action('quiet', 'open', null)]));
  expect(sim.log.slice(sent).filter(({ method }) => method !== 'GET')).toEqual([]);
});

test('a rehearsal says why the tracker tells nothing', async () => {
  const { service, add, sim } = await startWorld();
  await add({ next_rotation_due: due });
  sim.options.archived = true;

  expect(await service.call('POST', '/credentials/rehearse')).toMatchObject({
    status: 503,
    body: { detail: expect.stringContaining('octo/infra is archived') },
  });
});

test('the token that issues are kept with is a credential, and a later end of it is a rotation', async () => {
  const { service, sim, add, run, open, issue } = await startWorld({
    sim: { tokenExpiration: '2026-03-12 09:00:00 UTC' },
  });
  await add({ next_rotation_due: due });
  const own = async () => (await service.call('GET', '/credentials/Token for the issues of credentials')).body;
  const explained = async () =>
    (await service.call('GET', '/credentials/Token for the issues of credentials/explain')).body;

  await run();
  const first = await own();
  await run();
  const opened = open().map((number) => issue(number).title);
  sim.options.tokenExpiration = '2026-03-05 09:00:00 UTC';
  await run();
  const sooner = await own();
  sim.options.tokenExpiration = '2027-03-12 09:00:00 UTC';
  await run();
  await run();

  expect(first).toMatchObject({ credential_type: 'api_token', expires_at: '2026-03-12T09:00:00.000Z' });
  expect(opened).toContain('Rotate credential: Token for the issues of credentials');
  expect(sooner).toMatchObject({ expires_at: '2026-03-05T09:00:00.000Z', last_rotated_at: null });
  expect(await own()).toMatchObject({ expires_at: '2027-03-12T09:00:00.000Z', urgency: 'none' });
  expect(await explained()).toMatchObject({ rotations: [{ evidence: 'token_expiry', recorded_by: 'github' }] });
  expect(open()).toEqual([1]);
});

test('a token without an end has no record', async () => {
  const { service, add, run } = await startWorld();
  await add({ next_rotation_due: due });

  await run();

  expect((await service.call('GET', '/credentials/Token for the issues of credentials')).status).toBe(404);
});

test('the token is found nowhere: not in the log, the data, an answer or an issue', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const { service, sim, add, run, say, comments } = await startWorld({ log });
  const id = await add({ next_rotation_due: due });
  await run();
  sim.addFault({ path: '/issues', times: 4, action: 'status', status: 502 });
  const failed = await run();
  sim.options.token = 'other';
  const refused = await run();
  sim.options.token = token;
  await say('POST', `/credentials/${id}/rotated`, { note: 'by hand', next_rotation_due: '2027-01-01' });

  const answers = [failed, refused];
  for (const path of ['/credentials', `/credentials/${id}/explain`, '/jobs/runs', '/changes', '/alerts', '/refusals'])
    answers.push((await service.call('GET', path)).body as never);
  await service.app.close();
  const data = join(service.folder, 'data');
  const files = readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => readFileSync(join(one.parentPath, one.name), 'latin1'));

  const all = [...lines, ...files, ...comments(1), JSON.stringify(answers), JSON.stringify(sim.issues())].join('\n');
  expect(lines.length).toBeGreaterThan(3);
  expect(refused.error).toContain('Bad credentials');
  expect(all).not.toContain('CANARY');
});
