/** A tracker that goes wrong in each way there is: one issue for each that is due, and nothing lost. */

import { describe, expect, onTestFinished, test } from 'vitest';
import type { SimFault, SimOptions } from '../../sims/github-sim.mjs';
import { doer, startBare } from './bare.ts';
import { act, openIn, postsIn, startWorld, token } from './world.ts';

const due = '2026-03-10';
const page = '<!doctype html><title>Sign in</title>';
const posting = { method: 'POST', path: '/issues$' };
const listing = { method: 'GET', path: '/issues\\?' };

async function bare(options: { sim?: SimOptions; names?: string[]; maxCreates?: number; answerMs?: number } = {}) {
  const world = await startBare(options);
  onTestFinished(world.close);
  for (const credential_name of options.names ?? ['one', 'two', 'three'])
    await world.records().add({ credential_name, credential_type: 'token', next_rotation_due: due }, doer);
  const markers = () =>
    openIn(world.sim).map(
      (number) =>
        world.sim
          .issues()
          .find((issue) => issue.number === number)
          ?.body?.match(/credential=(\S+)/)?.[1],
    );
  return { ...world, markers, posts: () => postsIn(world.sim) };
}

describe('while an issue is opened', () => {
  const faults: [string, SimFault, number][] = [
    ['an error of the server after it was made', { action: 'commit-then-502' }, 3],
    ['another one', { action: 'commit-then-500' }, 3],
    ['the end of the connection after it was made', { action: 'commit-then-reset' }, 3],
    ['silence after it was made', { action: 'commit-then-hang' }, 3],
    ['half an answer', { action: 'bad-json' }, 3],
    ['an error of the server', { action: 'status', status: 502 }, 4],
    ['the end of the connection', { action: 'reset' }, 4],
    ['silence', { action: 'hang' }, 4],
    ['a page instead of an answer', { action: 'status', status: 200, raw: page }, 4],
    ['something that was not asked for', { action: 'status', status: 200, body: [] }, 4],
    ['a pause that is asked for', { action: 'secondary', retryAfter: 90 }, 4],
    ['a pause of no length', { action: 'secondary', retryAfter: null }, 4],
    ['a short pause', { action: 'secondary', retryAfter: 1 }, 4],
    ['a short pause, told as 429', { action: 'secondary', retryAfter: 1, status: 429 }, 4],
    ['a refusal', { action: 'status', status: 422, message: 'Validation Failed' }, 4],
  ];

  test.each(faults)('%s leaves exactly one for each', async (_, fault, sent) => {
    const { sim, check, pass, posts, markers } = await bare({ answerMs: 400 });
    sim.addFault({ ...posting, ...fault });

    await check();
    pass({ minutes: 3 });
    await check();
    const last = await check();

    expect(last).toMatchObject({ outcome: 'good' });
    expect(new Set(markers()).size).toBe(3);
    expect(markers()).toHaveLength(3);
    expect(posts()).toBe(sent);
    expect(sim.issues()).toHaveLength(3);
  });

  test('and nothing is known of it, it is not asked for a second time before it must be there', async () => {
    const { sim, check, pass, posts, markers } = await bare({ names: ['one'] });
    sim.addFault({ ...posting, action: 'status', status: 502 });

    const first = await check();
    pass({ seconds: 60 });
    const second = await check();
    const early = posts();
    pass({ seconds: 60 });
    const third = await check();

    expect(first).toMatchObject({
      outcome: 'partial',
      why: expect.stringContaining('is not known; the next run sees'),
    });
    expect(second).toMatchObject({ outcome: 'partial', why: expect.stringContaining('is not known yet') });
    expect(third).toMatchObject({ outcome: 'good' });
    expect([early, posts(), markers().length]).toEqual([1, 2, 1]);
  });

  test('the list that would show it fails too, it is found by the next run', async () => {
    const { sim, check, restart, posts, markers } = await bare({ names: ['one'] });
    sim.addFault({ ...posting, action: 'commit-then-502' });
    sim.addFault({ ...listing, skip: 2, action: 'status', status: 503 });

    await check();
    await restart();
    const last = await check();

    expect(last).toMatchObject({ outcome: 'good', counts: { adopted: 1 } });
    expect([posts(), markers().length]).toEqual([1, 1]);
  });

  test('it is closed by hand before that is known, it is opened again', async () => {
    const { sim, check, die, posts, markers } = await bare({ names: ['one'] });
    await die();
    await fetch(`${sim.url}/__sim/issues/1`, { method: 'PATCH', body: JSON.stringify({ state: 'closed' }) });

    await check();

    expect([posts(), markers().length]).toEqual([1, 1]);
  });

  test('it is rotated before that is known, it is closed', async () => {
    const { sim, check, records, posts, markers } = await bare({ names: ['one'] });
    sim.addFault({ ...posting, action: 'commit-then-502' });
    sim.addFault({ ...listing, skip: 2, action: 'status', status: 503 });
    await check();
    await records().rotated('one', { next_rotation_due: '2027-01-01' }, doer);

    await check();
    await check();

    expect([posts(), markers()]).toEqual([1, []]);
    expect(sim.issues()).toHaveLength(1);
  });

  test('what is refused for one of them alone keeps no other from being opened', async () => {
    const { sim, check, markers } = await bare({ names: ['a', 'b', 'c'], maxCreates: 2 });
    sim.addFault({ ...posting, action: 'status', status: 422, message: 'Validation Failed' });

    const told = await check();

    expect(told).toMatchObject({ outcome: 'partial', why: expect.stringContaining('Validation Failed') });
    expect(markers()).toHaveLength(2);
  });

  test('and nothing answers any more, the rest waits and is told', async () => {
    const { sim, check, pass, posts, markers } = await bare({ names: ['a', 'b', 'c', 'd', 'e'] });
    sim.addFault({ ...posting, times: 2, action: 'status', status: 502 });

    const first = await check();
    pass({ minutes: 3 });
    await check();

    expect(first).toMatchObject({ why: expect.stringMatching(/^3 more are due and wait for the next run\./) });
    expect([posts(), markers().length]).toEqual([7, 5]);
  });
});

describe('while the list is read', () => {
  test.each<[string, SimFault]>([
    ['an error of the server', { action: 'status', status: 503 }],
    ['half an answer', { action: 'bad-json' }],
    ['a page instead of an answer', { action: 'status', status: 200, raw: page }],
    ['one thing instead of many', { action: 'status', status: 200, body: {} }],
    ['the end of the connection', { action: 'reset' }],
    ['a pause that is asked for', { action: 'secondary', retryAfter: 90 }],
    ['the end of all calls of this hour', { action: 'primary' }],
  ])('%s opens nothing, and fails with what is wrong', async (_, fault) => {
    const { sim, check, posts } = await bare();
    sim.addFault({ ...listing, times: -1, ...fault });

    const told = await check();

    expect(typeof told).toBe('string');
    expect(told).toMatch(/^(GitHub|github)/i);
    expect(posts()).toBe(0);
  });

  test('and its second page is not to be had, nothing is opened', async () => {
    const { sim, check, posts } = await bare();
    for (let number = 0; number < 120; number += 1)
      await fetch(`${sim.url}/__sim/issues`, { method: 'POST', body: JSON.stringify({ title: `theirs ${number}` }) });
    sim.addFault({ path: 'page=2', times: -1, action: 'status', status: 502 });

    expect(typeof (await check())).toBe('string');
    expect(posts()).toBe(0);
  });
});

describe('while an issue is changed', () => {
  test.each<[string, SimFault]>([
    ['its text', { method: 'PATCH', path: '/issues/\\d+$', action: 'commit-then-502' }],
    ['its labels', { method: 'POST', path: '/labels$', action: 'commit-then-reset' }],
    ['what is said', { method: 'POST', path: '/comments$', action: 'commit-then-502' }],
    ['what is said, which was not', { method: 'POST', path: '/comments$', action: 'reset' }],
  ])('%s, it is said once, and all is as it should be', async (_, fault) => {
    const { sim, check, pass, markers, posts } = await bare({ names: ['one'] });
    await check();
    pass({ hours: 24 * 9 });
    sim.addFault(fault);

    for (let run = 0; run < 2; run += 1) await check();
    const last = await check();

    expect(last).toMatchObject({ outcome: 'good', counts: { updated: 0 } });
    expect([posts(), markers().length]).toEqual([1, 1]);
    expect(sim.issues()[0]).toMatchObject({ comments: 1 });
    expect(sim.issues()[0]?.labels.map(({ name }) => name)).toContain('priority:high');
  });

  test.each<[string, SimFault]>([
    ['said', { method: 'POST', path: '/comments$', action: 'commit-then-502' }],
    ['closed', { method: 'PATCH', path: '/issues/\\d+$', action: 'commit-then-reset' }],
  ])('what was rotated is %s once', async (_, fault) => {
    const { sim, check, follow, records, pass } = await bare({ names: ['one'] });
    await check();
    pass({ seconds: 1 });
    await records().rotated('one', { next_rotation_due: '2027-01-01' }, doer);
    sim.addFault(fault);

    await follow();
    const last = await follow();

    expect(last).toMatchObject({ outcome: 'good' });
    expect(sim.issues()).toMatchObject([{ state: 'closed', state_reason: 'completed', comments: 1 }]);
  });
});

test('a token that may not label opens issues that are found again, and that is told', async () => {
  const { check, posts, markers } = await bare({ sim: { push: false } });

  const first = await check();
  for (let run = 0; run < 3; run += 1) await check();

  expect(first).toMatchObject({ outcome: 'partial', why: expect.stringContaining('the token may not label issues') });
  expect([posts(), new Set(markers()).size]).toEqual([3, 3]);
});

test('a token that may not label and that tells nothing of its user opens one, and no more', async () => {
  const { sim, check, posts } = await bare({ sim: { push: false } });
  sim.addFault({ path: '/user$', times: -1, action: 'status', status: 403, message: 'Resource not accessible' });

  const first = await check();

  expect(first).toMatchObject({ why: expect.stringContaining('2 more are due and wait') });
  expect(posts()).toBe(1);
});

describe('what a person has to mend is told as why the job failed, and afterwards it goes on', () => {
  test.each<[string, SimOptions, SimOptions, RegExp]>([
    ['an archived repository', { archived: true }, { archived: false }, /octo\/infra is archived.*Take it out/],
    ['issues that are switched off', { hasIssues: false }, { hasIssues: true }, /keeps no issues\. Switch them on/],
    ['a token that is no more', { token: 'other' }, { token }, /Bad credentials.*make a new one/],
    ['a right that is missing', { issuesPermission: 'none' }, { issuesPermission: 'write' }, /lacks the right/],
  ])('%s', async (_, wrong, mended, words) => {
    const { sim, add, run, open, posts, alerts } = await startWorld();
    await add({ next_rotation_due: due });
    Object.assign(sim.options, wrong);

    const { outcome, error } = await run();
    const before = posts();
    Object.assign(sim.options, mended);
    await run();

    expect(outcome).toBe('failed');
    expect(error).toMatch(words);
    expect([before, open()]).toEqual([0, [1]]);
    expect(await alerts()).toEqual([]);
  });

  test('a right to write that is missing', async () => {
    const { sim, check, markers } = await bare({ sim: { issuesPermission: 'read' } });

    const told = await check();
    sim.options.issuesPermission = 'write';
    await check();

    expect(told).toMatchObject({ outcome: 'partial', why: expect.stringContaining('lacks the right (issues=write)') });
    expect(markers()).toHaveLength(3);
  });
});

test('a repository that is renamed keeps its issues, and so it does once the settings say so', async () => {
  const { sim, parts, check, records, pass, markers, posts } = await bare({ names: ['one'] });
  await check();
  await fetch(`${sim.url}/__sim/rename`, { method: 'POST', body: JSON.stringify({ name: 'estate' }) });
  const renamed = await check();

  const { issues } = parts();
  if (issues) Object.assign(issues.tracker, { repository: 'octo/estate' });
  await records().alter('one', { next_rotation_due: '2026-03-12' }, doer);
  pass({ seconds: 1 });
  const settled = await check();

  expect(renamed).toMatchObject({ outcome: 'good' });
  expect(settled).toMatchObject({ outcome: 'good', counts: { adopted: 1 } });
  expect([posts(), markers().length]).toEqual([1, 1]);
});

test('what was forgotten, as by a database from before it, is taken over with what people did', async () => {
  const { sim, parts, check, pass, posts, markers } = await bare({ names: ['one'] });
  await check();
  const [issue] = sim.issues();
  const body = issue?.body?.replace('- [ ] Generate', '- [x] Generate') ?? '';
  const edit = { body: body.replace('### Associated', 'Ask Bob!\n\n### Associated') };
  await fetch(`${sim.url}/__sim/issues/1`, { method: 'PATCH', body: JSON.stringify(edit) });
  await parts().store.write((trx) => trx.deleteFrom('credential_issues').execute());
  pass({ hours: 24 });

  const told = await check();
  const last = await check();

  expect(told).toMatchObject({ outcome: 'good', counts: { adopted: 1, commented: 1 } });
  expect(last).toMatchObject({ outcome: 'good', counts: { adopted: 0, updated: 0 } });
  expect([posts(), markers().length]).toEqual([1, 1]);
  expect(sim.issues()[0]?.body?.trimEnd()).toBe(edit.body.replace('in 8 days', 'in 7 days').trimEnd());
});

test('one that is closed already is found all the same, and not opened a second time', async () => {
  const { sim, parts, check, posts, markers } = await bare({ names: ['one'] });
  await check();
  await fetch(`${sim.url}/__sim/issues/1`, { method: 'PATCH', body: JSON.stringify({ state: 'closed' }) });
  await parts().store.write((trx) => trx.deleteFrom('credential_issues').execute());

  await check();

  expect([posts(), markers().length]).toEqual([1, 1]);
});

test('two runs that are asked for at once are one', async () => {
  const { service, add, posts, open } = await startWorld();
  await add({ next_rotation_due: due });

  const runs = await Promise.all(
    ['check', 'check', 'follow', 'check'].map((name) =>
      service.call('POST', `/jobs/${name}-credentials/run`, { wait: true }),
    ),
  );

  expect(runs.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect([posts(), open()]).toEqual([1, [1]]);
});

test('one that was opened by a run that was killed, and whose text was taken out since, is taken over', async () => {
  const { sim, die, check, pass, posts, markers } = await bare({ names: ['one'] });
  await die();
  await act(sim, 'PATCH', '/issues/1', { body: 'gone' });

  await check();
  pass({ hours: 24 });
  await check();

  expect([posts(), markers().length]).toEqual([1, 1]);
});

test('one that was opened again, but not to the end, is closed where there is no need any more', async () => {
  const { sim, records, check, pass } = await bare({ names: ['one'] });
  await check();
  await records().putOff('one', 'waiver', { until: '2026-03-02', reason: 'moving' }, doer);
  await check();
  pass({ hours: 24 });
  sim.addFault({ method: 'POST', path: '/comments$', action: 'commit-then-502' });
  await check();
  const halfway = openIn(sim);
  await records().alter('one', { next_rotation_due: '2026-09-01' }, doer);

  await check();
  await check();

  expect([halfway, openIn(sim)]).toEqual([[1], []]);
});

test('one that could not be opened again is asked after once, and no more', async () => {
  const { sim, records, check, pass } = await bare({ names: ['one'] });
  await check();
  await records().putOff('one', 'waiver', { until: '2026-03-02', reason: 'moving' }, doer);
  await check();
  pass({ hours: 24 });
  sim.addFault({ method: 'PATCH', action: 'status', status: 502 });
  await check();
  await records().alter('one', { next_rotation_due: '2026-09-01' }, doer);
  await check();
  const asked = sim.log.length;

  await check();

  expect(openIn(sim)).toEqual([]);
  expect(sim.log.length).toBe(asked);
});
