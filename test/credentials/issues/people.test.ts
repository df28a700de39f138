/** What people do to issues: closing, deleting, editing, copying, and what they write is not taken for ours. */

import { describe, expect, test } from 'vitest';
import { markerOf, startWorld, type World } from './world.ts';

const due = '2026-03-10';

async function opened(): Promise<World & { id: string }> {
  const world = await startWorld();
  const id = await world.add({ next_rotation_due: due });
  await world.run();
  expect(world.open()).toEqual([1]);
  return { ...world, id };
}

describe('closed by hand without a rotation', () => {
  test('it is opened again once, and then left and told', async () => {
    const { act, run, later, open, comments, alerts, posts } = await opened();

    await act('PATCH', '/issues/1', { state: 'closed' });
    await run();
    const reopened = [open(), comments(1).length];
    await act('PATCH', '/issues/1', { state: 'closed' });
    const { outcome, error } = await run();
    await later(1);
    await later(8);

    expect(reopened).toEqual([[1], 1]);
    expect(comments(1)[0]).toContain('nothing shows that the credential was rotated');
    expect({ outcome, error }).toEqual({
      outcome: 'partial',
      error:
        'The issue for pve token is left as it is, for it was closed by hand again: rotate it, snooze it or waive it.',
    });
    expect([open(), posts(), comments(1).length]).toEqual([[], 1, 1]);
    expect(await alerts()).toEqual(['credential_due pve token', 'credential_issue_left pve token']);
  });

  test('what is left is taken up again where somebody opens it, and by the next rotation', async () => {
    const { id, act, run, say, later, open, alerts } = await opened();
    for (let time = 0; time < 2; time += 1) {
      await act('PATCH', '/issues/1', { state: 'closed' });
      await run();
    }

    await act('PATCH', '/issues/1', { state: 'open' });
    await run();
    const again = [open(), await alerts()];
    await say('POST', `/credentials/${id}/rotated`, { next_rotation_due: '2026-04-10' });
    const closed = open();
    await later(30);

    expect(again).toEqual([[1], []]);
    expect(closed).toEqual([]);
    expect(open()).toEqual([2]);
  });

  test('what leaks afterwards is asked for all the same, by an issue of its own', async () => {
    const { id, act, run, say, open, labels } = await opened();
    for (let time = 0; time < 2; time += 1) {
      await act('PATCH', '/issues/1', { state: 'closed' });
      await run();
    }

    await say('PATCH', `/credentials/${id}`, { lifecycle_state: 'compromised' });

    expect(open()).toEqual([2]);
    expect(labels(2)).toContain('priority:critical');
  });
});

describe.each([
  ['deleted', 'DELETE', ''],
  ['moved to another repository', 'POST', '/transfer'],
])('%s', (_, method, path) => {
  test('it is opened once more, and then left and told', async () => {
    const { act, run, later, open, alerts, posts } = await opened();

    await act(method, `/issues/1${path}`, {});
    await run();
    await run();
    const replaced = open();
    await act(method, `/issues/2${path}`, {});
    await run();
    await later(1);

    expect(replaced).toEqual([2]);
    expect([open(), posts()]).toEqual([[], 2]);
    expect(await alerts()).toEqual(['credential_issue_left pve token']);
  });
});

test('one that was closed for a waiver and then deleted is opened anew after it', async () => {
  const { id, act, say, run, later, open } = await opened();
  await say('POST', `/credentials/${id}/waive`, { until: '2026-03-05', reason: 'off' });
  await act('DELETE', '/issues/1', {});

  await later(4);
  await run();

  expect(open()).toEqual([2]);
});

describe('edited by a person', () => {
  test('text stays, and so do ticks, labels and the title; what is ours in it is kept up', async () => {
    const { act, run, later, issue, labels, posts } = await opened();
    const edited = issue(1)
      .body?.replace('### Rotation Procedure', 'Ask Bob first!\n\n### Rotation Procedure')
      .replace('- [ ] Generate', '- [x] Generate')
      .replaceAll('\n', '\r\n');
    await act('PATCH', '/issues/1', {
      title: 'Please rotate',
      body: edited,
      labels: ['credential-rotation', 'domain:security', 'priority:medium', 'for-bob'],
    });

    await run();
    await later(9);

    expect(issue(1).title).toBe('Please rotate');
    expect(issue(1).body?.replaceAll('\r\n', '\n').trimEnd()).toBe(
      edited
        ?.replaceAll('\r\n', '\n')
        .replace(
          '**Medium**: it is due in 8 days, on 2026-03-10.',
          '**High**: it has been overdue for 1 day, since 2026-03-10.',
        )
        .trimEnd(),
    );
    expect(labels(1)).toEqual(['credential-rotation', 'domain:security', 'for-bob', 'priority:high']);
    expect(posts()).toBe(1);
  });

  test('a marker that was taken out is put back, and so it is after the whole body was', async () => {
    const { id, act, run, later, issue, posts, open } = await opened();
    const own = issue(1).body ?? '';

    await act('PATCH', '/issues/1', { body: own.replace(/<!--.*/s, '') });
    await run();
    const back = issue(1).body;
    await act('PATCH', '/issues/1', { body: null });
    await run();
    await later(1);

    expect(back?.trimEnd()).toBe(own.trimEnd());
    expect(issue(1).body?.trim()).toBe(markerOf(id, due));
    expect([open(), posts()]).toEqual([[1], 1]);
  });

  test('another one‘s marker in it leads nobody astray', async () => {
    const { id, add, act, run, issue, open } = await opened();
    const other = await add({ credential_name: 'other', next_rotation_due: '2026-03-11' });
    await act('PATCH', '/issues/1', { body: `${issue(1).body}\n${markerOf(other, '2026-03-11')}\n` });

    await run();
    await run();

    expect(open()).toEqual([1, 2]);
    expect(issue(2).title).toBe('Rotate credential: other');
    expect(issue(1).body).toContain(markerOf(id, due));
  });
});

test('a credential that is renamed keeps its issue, under its new title', async () => {
  const { id, say, run, issue, open } = await opened();

  await say('PATCH', `/credentials/${id}`, { credential_name: 'pve root' });
  await run();

  expect(open()).toEqual([1]);
  expect(issue(1).title).toBe('Rotate credential: pve root');
});

describe('found in the repository', () => {
  const title = 'Rotate credential: pve token';
  const labelled = ['Credential-Rotation'];

  test.each([
    ['ours', { title, labels: labelled }],
    ['that of the bot of GitHub Actions', { title, labels: labelled, user: 'github-actions[bot]' }],
  ])('one without a marker is taken over where it is %s', async (_, theirs) => {
    const { add, act, run, issue, open, labels, posts } = await startWorld();
    await act('POST', '/issues', { ...theirs, body: 'As ever.' });
    const id = await add({ next_rotation_due: due });

    const first = await run();
    await run();

    expect(first.adopted).toBe(1);
    expect([open(), posts()]).toEqual([[1], 0]);
    expect(issue(1).body).toBe(`As ever.\n\n${markerOf(id, due)}\n`);
    expect(labels(1)).toContain('priority:medium');
  });

  test.each([
    ['by a stranger', { title, labels: labelled, user: 'mallory' }],
    ['without the label', { title }],
    ['under nearly that title', { title: `${title}!`, labels: labelled }],
    ['as a pull request', { title, labels: labelled, pull: true }],
    ['closed', { title, labels: labelled, state: 'closed' }],
    [
      'with the marker of another',
      { title, labels: labelled, body: markerOf('00000000-0000-4000-8000-000000000000', due) },
    ],
    ['with half a marker', { title, labels: labelled, body: '<!-- rollcall:credential=7 -->' }],
  ])('%s it is left alone', async (_, theirs) => {
    const { add, act, run, issue, posts } = await startWorld();
    await act('POST', '/issues', theirs);
    const before = issue(1);
    await add({ next_rotation_due: due });

    await run();
    await run();

    expect(posts()).toBe(1);
    expect(issue(1)).toEqual(before);
    expect(issue(2).title).toBe(title);
  });

  test.each(['open', 'closed'])('a marker that a stranger pasted in an %s issue means nothing', async (state) => {
    const { add, act, run, issue, posts } = await startWorld();
    const id = await add({ next_rotation_due: due });
    await act('POST', '/issues', { title, user: 'mallory', state, body: markerOf(id, due) });
    const before = issue(1);

    await run();
    await run();

    expect(posts()).toBe(1);
    expect(issue(1)).toEqual(before);
  });

  test('of two with the same marker the oldest stays, and the other is closed as a duplicate', async () => {
    const { add, act, run, open, issue, comments, posts } = await startWorld();
    const id = await add({ next_rotation_due: due });
    for (let time = 0; time < 2; time += 1) await act('POST', '/issues', { title, body: markerOf(id, due) });

    await run();
    await run();

    expect([open(), posts()]).toEqual([[1], 0]);
    expect(issue(2)).toMatchObject({ state: 'closed', state_reason: 'duplicate' });
    expect(comments(2)[0]).toContain('The same is asked for by #1.');
  });

  test('a copy that a person made of it is closed as a duplicate', async () => {
    const { act, run, open, issue } = await opened();
    const { body } = issue(1);
    await act('POST', '/issues', { title, body, user: 'alice', labels: labelled });

    await run();

    expect(open()).toEqual([1]);
  });

  test('where one is deleted, its copy takes its place', async () => {
    const { act, run, open, issue, posts } = await opened();
    const { body } = issue(1);
    await act('POST', '/issues', { title, body, user: 'alice', labels: labelled });
    await act('DELETE', '/issues/1', {});

    await run();
    await run();

    expect([open(), posts()]).toEqual([[2], 1]);
  });

  test('one that is not needed and that nothing is known of is closed', async () => {
    const { add, act, run, open, issue } = await startWorld();
    const id = await add({ next_rotation_due: '2027-01-01' });
    await add({ credential_name: 'other', next_rotation_due: due });
    await act('POST', '/issues', { title, body: markerOf(id, due) });

    await run();

    expect(open()).toEqual([2]);
    expect(issue(1).state).toBe('closed');
  });
});

test('a comment that a stranger makes in our words keeps ours from nobody', async () => {
  const { act, later, comments } = await opened();
  const words = `<!-- rollcall:said=${due}:0 -->`;
  await act('POST', '/issues/1/comments', { body: words, actor: 'mallory' });

  await later(8);

  const said = comments(1).filter((body) => body.includes(words));
  expect(said).toHaveLength(2);
});
