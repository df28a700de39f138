/** What a person is told of the tracker: whether it can be worked with, and what to do where it cannot. */

import { describe, expect, test } from 'vitest';
import { everything, startWorld } from './world.ts';

const well = { check: 'github', state: 'ok', found: 'GitHub answers, and shows the issues of octo/infra' };
const endless = { check: 'github', state: 'ok', found: 'the token has no end' };

test('where all is well, that and the end of the token are told', async () => {
  const { tracker } = await startWorld();

  expect(await tracker.check()).toEqual([well, endless]);
});

test.each([
  ['2026-09-29 09:53:54 UTC', { state: 'ok', found: 'the token ends on 2026-09-29' }],
  ['2026-03-10 01:00:00 +0200', { state: 'note', found: 'the token ends on 2026-03-09' }],
])('a token that ends is told: %s', async (tokenExpiration, finding) => {
  const { tracker } = await startWorld({ sim: { tokenExpiration } });

  expect((await tracker.check()).at(-1)).toMatchObject(finding);
});

test('when the token ends is known of the last answer, and not before', async () => {
  const { tracker, sim } = await startWorld();

  const before = tracker.tokenExpiresAt();
  await tracker.findByMarker(everything);
  const endless = tracker.tokenExpiresAt();
  sim.options.tokenExpiration = '2026-09-29 09:53:54 UTC';
  await tracker.findByMarker(everything);

  expect([before, endless, tracker.tokenExpiresAt()]).toEqual([undefined, null, '2026-09-29T09:53:54.000Z']);
});

describe('what has to be done is told', () => {
  test.each([
    ['archived', { archived: true }, 'the repository octo/infra is archived, and takes no issues'],
    ['switched off', { hasIssues: false }, 'the repository octo/infra keeps no issues'],
    [
      'without the right to label',
      { push: false },
      'whoever the token is of may not label issues of octo/infra, and ones without labels would not be found again',
    ],
    [
      'without the right to issues',
      { issuesPermission: 'none' as const },
      'GitHub answered GET /repos/octo/infra/issues with 403: Resource not accessible by personal access token. The token lacks the right (issues=read) in octo/infra: give it that right, or make another token.',
    ],
    [
      'with another token',
      { token: 'another' },
      'GitHub answered GET /repos/octo/infra with 401: Bad credentials. The token has expired, was revoked, or is another one: make a new one, and put it where github.token says.',
    ],
    [
      'without the repository',
      { repos: ['octo/other'] },
      'GitHub answered GET /repos/octo/infra with 404: Not Found. octo/infra, or this part of it, is not there, or the token may not see it: see to github.repository, and to the repositories that the token is for.',
    ],
  ])('%s', async (_, sim, found) => {
    const { tracker } = await startWorld({ sim });

    const findings = await tracker.check();

    expect(findings.filter(({ state }) => state === 'wrong')).toMatchObject([{ check: 'github', found }]);
    expect(findings).not.toContainEqual(well);
  });

  test('where the token is for no repository', async () => {
    const { tracker, sim } = await startWorld();
    const repository = (await (await fetch(`${sim.url}/repos/octo/infra`)).json()) as object;
    const headers = { 'x-oauth-scopes': 'gist, read:org' };
    sim.addFault({ path: '^/repos/octo/infra$', action: 'status', status: 200, body: repository, headers });

    expect((await tracker.check()).map(({ found }) => found)).toContain(
      'the token is for gist, read:org, and for no repository',
    );
  });

  test('where the repository has another name now', async () => {
    const { tracker, act } = await startWorld();
    await act('POST', '/rename', { name: 'estate' });

    expect(await tracker.check()).toEqual([
      { ...well, found: 'GitHub answers, and shows the issues of octo/estate' },
      {
        check: 'github',
        state: 'note',
        found: 'the repository octo/infra is called octo/estate now',
        to_do: 'Write that into github.repository: somebody else may take the old name.',
      },
      endless,
    ]);
  });

  test('where nothing answers', async () => {
    const { tracker, sim } = await startWorld();
    await sim.close();

    expect(await tracker.check()).toMatchObject([
      { state: 'wrong', found: expect.stringContaining('nothing listens there') as string },
    ]);
  });
});
