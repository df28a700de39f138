import { expect, test } from 'vitest';
import { type Match, matcherOf } from '../../src/inventory/match.ts';
import { itemWith } from './item.ts';

const item = itemWith({
  ci_name: 'web-1.example.org',
  tags: ['prod', 'Live'],
  environment: 'prod',
  owner: null,
  technical_specs: { node: 'pve1', os: 'Debian GNU/Linux', pool: 7 },
});

test.each<[Match, boolean]>([
  [{ ci_name: 'web-*' }, true],
  [{ ci_name: 'WEB-?.example.org' }, true],
  [{ ci_name: 'web' }, false],
  [{ ci_name: 'web-?' }, false],
  [{ ci_name: 'webX1.example.org' }, false],
  [{ ci_name: 'web-1xexample.org' }, false],
  [{ ci_name: ['db-*', 'web-*'] }, true],
  [{ ci_name: [] }, false],
  [{ ci_name: '*' }, true],
  [{ tag: 'live' }, true],
  [{ tag: ['test', 'prod'] }, true],
  [{ tag: 'pro' }, false],
  [{ environment: 'prod', tag: 'prod' }, true],
  [{ environment: 'test', tag: 'prod' }, false],
  [{ node: 'pve?' }, true],
  [{ os: 'debian*' }, true],
  [{ pool: '*' }, false],
  [{ owner: '*' }, false],
  [{ ci_name: '(web)+|.*' }, false],
  [{ ci_type: 'virtual_*', ci_status: 'running', site_id: 'site-home' }, true],
])('%j', (match, fits) => {
  expect(matcherOf(match)(item)).toBe(fits);
});
