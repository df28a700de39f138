/** From the settings to a tracker: what is taken, what is refused at the start, and that nothing is asked by then. */

import { expect, onTestFinished, test } from 'vitest';
import { settingsSchema } from '../../src/app.ts';
import { githubModule } from '../../src/github/module.ts';
import { type GithubSettings, isPublic, placeOf } from '../../src/github/settings.ts';
import { openLog } from '../../src/log.ts';
import type { House } from '../../src/module.ts';
import { openOutbound } from '../../src/outbound/outbound.ts';
import { openSecrets } from '../../src/secrets/secrets.ts';
import { startService } from '../service.ts';
import { startGithubSim } from '../sims/github-sim.mjs';
import { draft, token } from './world.ts';

const bare: GithubSettings = {
  base_url: 'https://api.github.com',
  owners: {},
  default_assignees: [],
  max_creates_per_run: 20,
};

function houseWith(lines: string[] = []): House {
  const log = openLog('debug', 'json', (line) => void lines.push(line));
  const peers = openOutbound({ log });
  onTestFinished(() => peers.close());
  const { secret } = openSecrets({ env: { GITHUB_TOKEN: token } });
  const clock = () => Temporal.Now.instant();
  return { log, clock, secret, outbound: peers.outbound } as Partial<House> as House;
}

test('without a repository there is no tracker', async () => {
  const { tracker, checks, settings } = await githubModule.open(houseWith(), bare);

  expect([tracker, checks, settings]).toEqual([undefined, undefined, bare]);
});

test('a repository and a token are enough', async () => {
  const sim = await startGithubSim({ token });
  onTestFinished(() => sim.close());
  const settings = { ...bare, repository: 'octo/infra', token: 'env:GITHUB_TOKEN', base_url: `${sim.url}/api/v3/` };

  const { tracker, checks } = await githubModule.open(houseWith(), settings);
  const before = sim.log.length;

  expect(before).toBe(0);
  expect(tracker).toMatchObject({ repository: 'octo/infra', called: 'GitHub' });
  expect(await checks?.[0]?.()).toMatchObject([{ state: 'ok' }, { state: 'ok' }]);
});

test('the token is in no line of the log, however it goes wrong', async () => {
  const lines: string[] = [];
  const sim = await startGithubSim({ token });
  onTestFinished(() => sim.close());
  const settings = { ...bare, repository: 'octo/infra', token: 'env:GITHUB_TOKEN', base_url: sim.url };
  const { tracker } = await githubModule.open(houseWith(lines), settings);
  sim.addFault({ action: 'status', status: 502, message: token, times: -1 });

  for (let call = 0; call < 6; call += 1) await tracker?.open(draft).catch(() => undefined);

  expect(lines.join('')).toContain('a peer is down');
  expect(lines.join('')).not.toContain('CANARY');
});

test.each([
  [{ repository: 'octo/infra' }, 'github.token is missing'],
  [{ repository: 'octo/infra', token: 'ghp_0123456789' }, 'a secret itself must not stand here'],
  [{ repository: 'infra', token: 'env:T' }, 'github.repository'],
  [{ repository: '../..', token: 'env:T' }, 'github.repository'],
  [
    { repository: 'octo/infra', token: 'env:T', base_url: 'https://github.com' },
    'the API of github.com is https://api.github.com',
  ],
  [{ repository: 'octo/infra', token: 'env:T', base_url: 'http://git.lan/api/v1' }, 'in the clear; write https'],
  [{ repository: 'octo/infra', token: 'env:T', ca: '/nowhere.pem' }, 'github.ca: /nowhere.pem cannot be read'],
  [{ owners: { 'alice@example.org': '@alice' } }, 'github.owners'],
])('a wrong setting is told at the start: %j', async (github, words) => {
  await expect(startService({ settings: { github } })).rejects.toThrow(words);
});

test.each([
  [{ base_url: 'https://api.github.com' }, { kind: 'github', origin: 'https://api.github.com', prefix: '' }],
  [{ base_url: 'https://ghe.lan/api/v3/' }, { kind: 'github', origin: 'https://ghe.lan', prefix: '/api/v3' }],
  [{ base_url: 'https://git.lan:3000/api/v1' }, { kind: 'gitea', origin: 'https://git.lan:3000', prefix: '/api/v1' }],
  [{ base_url: 'https://lan/git/api/v1' }, { kind: 'gitea', origin: 'https://lan', prefix: '/git/api/v1' }],
  [
    { base_url: 'https://ghe.lan/api/v1', kind: 'github' as const },
    { kind: 'github', origin: 'https://ghe.lan', prefix: '/api/v1' },
  ],
])('which API it is is told by its address, or in so many words: %o', (settings, place) => {
  expect(placeOf(settings)).toEqual(place);
  expect(isPublic(placeOf(settings))).toBe(place.origin === 'https://api.github.com');
});

test('the section may be left out', () => {
  expect(settingsSchema.properties.github).toMatchObject({ default: {} });
});
