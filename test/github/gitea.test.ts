/** The same five verbs on Gitea and Forgejo, which take labels by number and replace lists as a whole. */

import { expect, onTestFinished, test } from 'vitest';
import { type GiteaOptions, startGiteaSim } from '../sims/gitea-sim.ts';
import { draft, everything, marker, numbersOf, refusalOf, token, trackerAt } from './world.ts';

const label = { name: 'credential', colour: 'd93f0b', description: 'A credential is due' };

async function startGitea(options: GiteaOptions = {}) {
  const sim = await startGiteaSim(options);
  onTestFinished(() => sim.close());
  return { sim, tracker: trackerAt(sim.url) };
}

const writes = (sim: { log: readonly { call: string; body: unknown }[] }) =>
  sim.log.filter(({ call }) => !call.startsWith('GET')).map(({ call, body }) => [call, body]);

test('labels are made with a #, once', async () => {
  const { sim, tracker } = await startGitea();

  await tracker.ensureLabels([label]);
  await tracker.ensureLabels([{ ...label, name: 'Credential' }]);

  expect(writes(sim)).toEqual([
    ['POST /repos/octo/infra/labels', { name: 'credential', description: 'A credential is due', color: '#d93f0b' }],
  ]);
});

test('an issue is opened with the numbers of its labels, and without unknown people', async () => {
  const { sim, tracker } = await startGitea();
  await tracker.ensureLabels([label]);

  const opened = await tracker.open({ ...draft, assignees: ['alice', 'nobody'] });

  expect(writes(sim).at(-1)).toEqual([
    'POST /repos/octo/infra/issues',
    { title: draft.title, body: draft.body, labels: [70], assignees: ['alice'] },
  ]);
  expect(opened).toMatchObject({
    isLabelled: true,
    shortcomings: [expect.stringContaining('It is not given to nobody') as string],
    issue: { number: 1, labels: ['credential'], created_at: '2026-03-02T10:00:00.000Z', isOurs: true },
  });
  expect(sim.log.every(({ authorization }) => authorization === `token ${token}`)).toBe(true);
});

test('a label that is not there is told, for it is not made on the way', async () => {
  const { tracker } = await startGitea();

  expect(await tracker.open(draft)).toMatchObject({ isLabelled: false });
});

test.each([50, 20])('issues are found on all pages of %i, wherever the server thinks it is', async (mostOfPage) => {
  const { sim, tracker } = await startGitea({ mostOfPage });
  for (let index = 0; index < 130; index += 1) sim.add({ title: `issue ${index}`, isPull: index % 10 === 0 });

  const { issues } = await tracker.findByMarker(everything);

  expect(numbersOf(issues)).toEqual(sim.issues.flatMap(({ number, isPull }) => (isPull ? [] : [number])));
  expect(issues[0]).toMatchObject({ isOurs: true, author: 'rollcall-bot', body: '', closed_at: null });
});

test('issues are found by number, and those that are gone are told', async () => {
  const { sim, tracker } = await startGitea();
  sim.add({ title: 'closed', state: 'closed' });

  const { issues, gone } = await tracker.findByMarker({ ...everything, numbers: [1, 7] });

  expect(issues).toMatchObject([{ number: 1, state: 'closed', closed_at: '2026-03-02T11:00:00.000Z' }]);
  expect(gone).toEqual([7]);
});

test('an update leaves the labels and people of others', async () => {
  const { sim, tracker } = await startGitea();
  await tracker.ensureLabels(['theirs', 'due', 'overdue'].map((name) => ({ ...label, name })));
  const issue = sim.add({ title: 'a', state: 'closed', labels: sim.labels.slice(0, 2), assignees: ['bob'] });

  const told = await tracker.update(1, {
    title: 'b',
    reopen: true,
    addLabels: ['overdue'],
    removeLabels: ['due', 'never there'],
    assignees: ['alice'],
    comment: { marker, body: `Overdue. ${marker}`, mayBeThere: true },
  });

  expect(told).toEqual([]);
  expect(issue).toMatchObject({
    title: 'b',
    state: 'open',
    labels: [{ name: 'theirs' }, { name: 'overdue' }],
    assignees: ['bob', 'alice'],
    comments: [`Overdue. ${marker}`],
  });
});

test('closing comments once, and gives no reason', async () => {
  const { sim, tracker } = await startGitea();
  const issue = sim.add({ title: 'a' });
  const comment = { marker, body: `Rotated. ${marker}`, mayBeThere: true };

  await tracker.close(1, { reason: 'completed', comment });
  await tracker.close(1, { reason: 'completed', comment });

  expect(issue).toMatchObject({ state: 'closed', comments: [`Rotated. ${marker}`] });
  expect(await refusalOf(tracker.close(9, { reason: 'completed' }))).toMatchObject({ trouble: 'gone' });
});

test('an issue whose end is not known is asked for once', async () => {
  const { sim, tracker } = await startGitea();
  sim.faults.push({ path: /\/issues$/, status: 502, isDone: true });

  const refusal = await refusalOf(tracker.open({ ...draft, labels: [] }));

  expect(refusal).toMatchObject({ trouble: 'outage', mayBeDone: true });
  expect(refusal.message).toContain('Gitea answered POST /repos/octo/infra/issues with 502: fault.');
  expect(sim.issues).toHaveLength(1);
});

test.each([
  ['archived', { isArchived: true }, 'Take octo/infra out of the archive'],
  ['without issues', { hasIssues: false }, 'octo/infra, or this part of it, is not there'],
])('a repository that is %s is told', async (_, options, words) => {
  const { tracker } = await startGitea(options);

  const refusal = await refusalOf(tracker.open({ ...draft, labels: [] }));

  expect(refusal).toMatchObject({ trouble: 'refused', message: expect.stringContaining(words) as string });
  expect((await tracker.check()).some(({ state }) => state === 'wrong')).toBe(true);
});

test('the end of its token is not told', async () => {
  const { tracker } = await startGitea();
  await tracker.findByMarker(everything);

  expect(tracker.tokenExpiresAt()).toBeUndefined();
  expect(await tracker.check()).toEqual([
    { check: 'github', state: 'ok', found: 'Gitea answers, and shows the issues of octo/infra' },
  ]);
});
