/** Whether the dates of a vault show a rotation. */

import { expect, test } from 'vitest';
import type { Credential } from '../../src/credentials/credential.ts';
import { judge } from '../../src/credentials/vault/evidence.ts';
import { matchItem } from '../../src/credentials/vault/match.ts';
import type { VaultItem } from '../../src/vaultwarden/vault.ts';

const now = Temporal.Instant.from('2026-03-02T10:00:00Z');
const unseen = { revised_at: null, told_at: null };

const credential = {
  credential_id: '01979b2e-3f60-7c11-8f4c-2f6a7a1b9c0d',
  credential_name: 'pve',
  lifecycle_state: 'active',
  last_rotated_at: '2026-01-01T00:00:00.000Z',
  created_at: '2025-06-01T00:00:00.000Z',
  updated_at: '2026-02-01T00:00:00.000Z',
  vaultwarden_item_id: 'cmdb/pve',
} as Credential;

const item = (values: Partial<VaultItem> = {}): VaultItem => ({
  id: '11111111-2222-3333-4444-555555555555',
  name: 'cmdb/pve',
  type: 1,
  folder: null,
  password_revised_at: null,
  history_dates: [],
  revised_at: null,
  created_at: null,
  deleted_at: null,
  archived_at: null,
  field_names: [],
  ...values,
});

test('a password that was changed after the last rotation was rotated then', () => {
  const at = '2026-02-20T08:00:00.000Z';

  expect(judge(credential, item({ password_revised_at: at }), unseen, now)).toEqual({
    verdict: 'rotated',
    kind: 'password_revision',
    rotatedAt: at,
    seen: { revised_at: at, told_at: at },
  });
});

test('so was one whose secret stood beside the password, by the history', () => {
  const history_dates = ['2026-02-21T08:00:00.000Z', '2025-02-20T08:00:00.000Z'];
  const judged = judge(
    credential,
    item({ password_revised_at: '2026-01-01T00:00:00.000Z', history_dates }),
    unseen,
    now,
  );

  expect(judged).toMatchObject({ verdict: 'rotated', kind: 'password_history', rotatedAt: history_dates[0] });
});

test.each([
  ['before the last rotation', '2025-12-31T00:00:00.000Z'],
  ['at the last rotation, by a clock that is a little fast', '2026-01-01T00:04:00.000Z'],
])('one that was changed %s was not', (_, at) => {
  const judged = judge(credential, item({ password_revised_at: at }), unseen, now);

  expect(judged).toEqual({ verdict: 'nothing_new', seen: { revised_at: at, told_at: at } });
});

test('one that was changed a moment after its record was made was rotated then', () => {
  const fresh = { ...credential, last_rotated_at: null };
  const judged = (at: string) => judge(fresh, item({ password_revised_at: at }), unseen, now).verdict;

  expect(judged('2025-06-01T00:00:10.000Z')).toBe('rotated');
  expect(judged('2025-05-31T23:59:00.000Z')).toBe('nothing_new');
});

test('the same date is no second rotation', () => {
  const at = '2026-02-20T08:00:00.000Z';
  const judged = judge(credential, item({ password_revised_at: at }), { revised_at: at, told_at: at }, now);

  expect(judged.verdict).toBe('nothing_new');
});

test.each([
  ['is earlier than before', '2026-02-10T08:00:00.000Z'],
  ['is gone', null],
])('a date that %s is that of an import, until there is a later one', (_, password_revised_at) => {
  const seen = { revised_at: '2026-02-20T08:00:00.000Z', told_at: '2026-02-20T08:00:00.000Z' };

  const judged = judge(credential, item({ password_revised_at }), seen, now);
  const later = judge(credential, item({ password_revised_at: '2026-03-01T08:00:00.000Z' }), judged.seen, now);

  expect(judged).toEqual({
    verdict: 'went_back',
    seen: { revised_at: seen.revised_at, told_at: password_revised_at },
  });
  expect(later.verdict).toBe('rotated');
});

test('a date that lies ahead shows nothing', () => {
  const judged = judge(credential, item({ password_revised_at: '2026-03-02T10:06:00.000Z' }), unseen, now);

  expect(judged).toEqual({ verdict: 'from_the_future', seen: unseen });
});

test('of one that leaked, what was changed before that was said counts for nothing', () => {
  const leaked = { ...credential, lifecycle_state: 'compromised' as const };
  const before = judge(leaked, item({ password_revised_at: '2026-01-20T08:00:00.000Z' }), unseen, now);
  const after = judge(leaked, item({ password_revised_at: '2026-02-02T08:00:00.000Z' }), before.seen, now);

  expect([before.verdict, after.verdict]).toEqual(['nothing_new', 'rotated']);
});

test.each([
  ['by its id, whatever it is called', [item({ name: 'other' })], '11111111-2222-3333-4444-555555555555', undefined],
  ['by its exact name', [item(), item({ id: 'x', name: 'cmdb/pve-old' })], 'cmdb/pve', undefined],
  ['not by a part of its name', [item({ name: 'cmdb/pve-old' })], 'cmdb/pve', 'missing'],
  ['not where two bear the name', [item(), item({ id: 'x' })], 'cmdb/pve', 'ambiguous'],
  ['not in the trash', [item({ deleted_at: '2026-01-01T00:00:00.000Z' })], 'cmdb/pve', 'trashed'],
  [
    'beside one of its name in the trash',
    [item({ id: 'x', deleted_at: '2026-01-01T00:00:00.000Z' }), item()],
    'cmdb/pve',
    undefined,
  ],
  ['in the archive, and that is told', [item({ archived_at: '2026-01-01T00:00:00.000Z' })], 'cmdb/pve', 'archived'],
])('an item is found %s', (_, items, vaultwarden_item_id, trouble) => {
  const matched = matchItem({ ...credential, vaultwarden_item_id }, items);

  expect(matched.trouble).toBe(trouble);
  expect(matched.item === undefined).toBe(trouble !== undefined && trouble !== 'archived');
});
