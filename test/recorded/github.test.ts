/** What github.com really answered: a server says it once more, and the tracker reads it. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Tracker } from '../../src/github/tracker.ts';
import { beginning, refusalOf, trackerAt } from '../github/world.ts';
import { readRecorded } from './folder.ts';

interface Recording {
  request: { method: string; path: string; body: Record<string, unknown> | null };
  response: { status: number; headers: Record<string, string>; body: unknown };
}

type Row = Record<string, unknown>;

const recording = (name: string) => readRecorded('github', 'rest', `${name}.json`) as Recording;
const rowsOf = (name: string) => recording(name).response.body as (Row & { number: number; title: string })[];

/** Headers that are said anew, and those that were staged by hand with a form in place of a value. */
const isSaid = ([name, value]: [string, string]) =>
  !/^(content-length|content-encoding|transfer-encoding|date|status)$/.test(name) && !value.includes('{{');

/** A tracker of a repository, and a server that answers it with recordings; what else it asks for is answered shortly. */
async function replay(
  names: Record<string, string>,
  repository = 'octo/infra',
  login = 'octokit-fixture-user-a',
): Promise<{ tracker: Tracker; calls: string[] }> {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    const call = `${request.method} ${request.url?.replace(`/repos/${repository}`, '')}`;
    calls.push(call);
    const name = Object.entries(names).find(([form]) => new RegExp(form).test(call))?.[1];
    const { status, headers, body } = name === undefined ? short(call, repository, login) : recording(name).response;
    response.writeHead(status, Object.fromEntries(Object.entries(headers).filter(isSaid)));
    response.end(body === undefined ? undefined : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { tracker: trackerAt(url, { repository }), calls };
}

function short(call: string, repository: string, login: string): Recording['response'] {
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  if (call === 'GET ') return { status: 200, headers, body: { id: 1, full_name: repository, has_issues: true } };
  if (call === 'GET /user') return { status: 200, headers, body: { login } };
  if (call.startsWith('GET /assignees/')) return { status: 204, headers: {}, body: undefined };
  return { status: 200, headers, body: [] };
}

test('a list over pages is read whole', async () => {
  const { tracker, calls } = await replay({
    'GET /issues.*page=2': 'issues-list.page2.200',
    'GET /issues.*page=3': 'issues-list-by-label-state.200',
    'GET /issues': 'issues-list.page1.200',
  });

  const { issues } = await tracker.findByMarker({ isWanted: () => true });

  const rows = ['issues-list.page1.200', 'issues-list.page2.200', 'issues-list-by-label-state.200'].flatMap(rowsOf);
  expect(issues.map(({ number, title }) => [number, title])).toEqual(
    rows.map(({ number, title }) => [number, title]).sort((a, b) => Number(a[0]) - Number(b[0])),
  );
  expect(issues.find(({ number }) => number === 13)).toMatchObject({
    body: '',
    state: 'open',
    isOurs: true,
    created_at: '2022-07-19T04:39:16.000Z',
    closed_at: null,
  });
  // What follows the ? is GitHub's own, whatever it calls the repository.
  expect(calls.slice(-2)).toEqual(['GET /issues?per_page=3&page=2', 'GET /issues?per_page=3&page=3']);
});

describe('an issue that is made', () => {
  test('with a title alone', async () => {
    const { tracker } = await replay({ 'POST /issues': 'issue-create.201' });

    const { issue, isLabelled } = await tracker.open({ title: 'Test issue 1', body: '', labels: [], assignees: [] });

    const made = recording('issue-create.201').response.body as Row;
    expect(issue).toMatchObject({
      number: made.number,
      url: made.html_url,
      title: 'Test issue 1',
      body: '',
      isOurs: true,
    });
    expect(isLabelled).toBe(true);
  });

  test('with labels and people', async () => {
    const { tracker } = await replay({ 'POST /issues': 'issue-create-labels-assignees.201' });

    const draft = { title: 'testing', body: 'this is body', labels: ['Bug', 'question'], assignees: ['bitwiseman'] };
    const { issue, isLabelled, shortcomings } = await tracker.open(draft);

    expect(issue).toMatchObject({ title: 'testing', body: 'this is body', labels: ['bug', 'question'] });
    expect([isLabelled, shortcomings]).toEqual([true, []]);
  });

  test('is closed, and given labels that were not there', async () => {
    const { tracker, calls } = await replay({
      'PATCH /issues/2': 'issue-close.200',
      'POST /issues/2/labels': 'issue-add-unknown-labels.200',
    });

    const told = await tracker.update(2, { addLabels: ['foo', 'bar', 'baz'] });
    await tracker.close(2, { reason: 'completed' });

    expect(told).toEqual([]);
    expect(calls).toEqual(['GET ', 'POST /issues/2/labels', 'PATCH /issues/2']);
  });

  test('is given to people', async () => {
    const { tracker } = await replay({ 'POST /issues/8/assignees': 'issue-set-assignees.200' });

    expect(await tracker.update(8, { assignees: ['yrodiere'] })).toEqual([]);
  });

  test('has comments, in which one is looked for', async () => {
    const first = rowsOf('issue-comments-list.200')[0] as unknown as { body: string; user: { login: string } };
    const names = { 'GET /issues/7/comments': 'issue-comments-list.200' };
    const { tracker, calls } = await replay(names, undefined, first.user.login);

    await tracker.update(7, { comment: { marker: first.body, body: 'never sent', mayBeThere: true } });

    expect(calls).toEqual(['GET ', 'GET /issues/7/comments?per_page=100', 'GET /user']);
  });
});

test('labels that are there are not made', async () => {
  const { tracker, calls } = await replay({ 'GET /labels': 'labels-list.200', 'POST /labels': 'label-create.201' });
  const label = { colour: '663399', description: '' };

  await tracker.ensureLabels(
    [...rowsOf('labels-list.200').map(({ name }) => String(name)), 'test-label'].map((name) => ({ ...label, name })),
  );

  expect(calls).toEqual(['GET ', 'GET /labels?per_page=100', 'POST /labels']);
});

test('a label that is refused is told with its fault', async () => {
  const { tracker } = await replay({ 'POST /labels': 'label-create-bad-color.422' });

  const [told] = await tracker.ensureLabels([{ name: 'foo', colour: 'invalid', description: '' }]);

  expect(told).toContain('with 422: Validation Failed; Label color invalid. ');
});

test('a label that is not there is taken away, and the end of the token is known', async () => {
  const { tracker } = await replay({ 'DELETE /issues/3/labels': 'issue-remove-label-missing.404' });

  expect(await tracker.update(3, { removeLabels: ['gone'] })).toEqual([]);
  expect(tracker.tokenExpiresAt()).toBe('2022-09-29T09:53:54.000Z');
});

test('a repository is read', async () => {
  const { tracker } = await replay({ '^GET $': 'repo-get.200' }, 'octokit-fixture-org/hello-world');

  expect((await tracker.check())[0]).toMatchObject({
    state: 'ok',
    found: 'GitHub answers, and shows the issues of octokit-fixture-org/hello-world',
  });
});

test('a redirect to another server, as it stands, is not followed', async () => {
  const { tracker } = await replay({ '^GET $': 'repo-renamed-get.301' });

  expect(await refusalOf(tracker.findByMarker({ isWanted: () => true }))).toMatchObject({ trouble: 'refused' });
});

describe('a pause', () => {
  test.each([
    ['secondary-limit-no-retry-after.403', 60],
    ['secondary-limit-retry-after.429', 8],
  ])('is told: %s', async (name, seconds) => {
    const { tracker } = await replay({ '^GET $': name });

    expect(await refusalOf(tracker.findByMarker({ isWanted: () => true }))).toMatchObject({
      trouble: 'limited',
      retryAt: `${beginning.add({ seconds }).toString().slice(0, 19)}.000Z`,
    });
  });

  test('is told where the hour is used up, whatever it says', async () => {
    const { tracker } = await replay({ '^GET $': 'primary-limit-remaining-0.403' });

    expect(await refusalOf(tracker.findByMarker({ isWanted: () => true }))).toMatchObject({ trouble: 'limited' });
  });
});
