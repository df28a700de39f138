/** For which issue something is changed: named, standing, wanted, and counted. */

import { describe, expect, test } from 'vitest';
import { settingsFaultFinder } from '../../src/check.ts';
import { auditSettings, referenceRules, wantedOf } from '../../src/cmdb/references.ts';
import { type Service, startService } from '../service.ts';

type Json = Record<string, unknown>;
const machine = { ci_name: 'web-1', ci_type: 'virtual_machine' };
const itemsOf = (body: unknown) => (body as { items: Json[] }).items;

async function lastChange({ call }: Service, path = '/changes?limit=1'): Promise<Json> {
  return itemsOf((await call('GET', path)).body)[0] as Json;
}

test('the narrowest rule counts, each word for itself', () => {
  const rules = referenceRules(
    {
      require_change_ref: { 'manual:*': 'enforce', 'manual:hooks': 'off' },
      change_refs: { '*': 'acme/infra#1', 'proxmox-api:home': 'acme/infra#2' },
    },
    ['ansible:this-machine'],
  );

  expect(wantedOf('manual:ann', rules)).toEqual({ requirement: 'enforce', standing: 'acme/infra#1' });
  expect(wantedOf('manual:hooks', rules)).toEqual({ requirement: 'off', standing: 'acme/infra#1' });
  expect(wantedOf('proxmox-api:home', rules)).toEqual({ requirement: 'warn', standing: 'acme/infra#2' });
  expect(wantedOf('clock', rules).requirement).toBe('off');
  expect(wantedOf('ansible:this-machine', rules).requirement).toBe('off');
});

test('a word that is none is told, with those that are', () => {
  const find = settingsFaultFinder(auditSettings);

  expect(find({ require_change_ref: 'alwyas' })).toEqual([
    { pointer: '/require_change_ref', detail: 'must be "off" or "warn" or "enforce" or an object, not "alwyas"' },
  ]);
});

describe('a reference', () => {
  test.each(['#12', 'infra#12', 'acme/infra', 'acme/infra#x', 'https://github.com/acme/infra/issues/12'])(
    'is not of the form %s',
    async (reference) => {
      const { call } = await startService();

      const byHeader = await call('POST', '/ci', machine, { 'X-Change-Ref': reference });
      const byBody = await call('POST', '/ci', { ...machine, change_ref: reference });

      expect([byHeader.status, byBody.status]).toEqual([400, 400]);
    },
  );

  test('is kept with what it was named for, and one that is missing is told, and no more, unless told otherwise', async () => {
    const service = await startService();
    const { call } = service;

    const without = await call('POST', '/ci', machine);
    const bare = await lastChange(service);
    const given = await call('PATCH', '/ci/web-1', { owner: 'ann', change_ref: 'acme/infra#7' });
    const named = await lastChange(service);

    expect(without.headers.get('x-change-ref-warning')).toContain('X-Change-Ref: owner/repo#123');
    expect(given.headers.get('x-change-ref-warning')).toBeNull();
    expect(bare).toMatchObject({ change_ref: null, change_ref_standing: false });
    expect(named).toMatchObject({ change_ref: 'acme/infra#7', change_ref_standing: false });
  });

  test('that stands for a token or a source is shown as such, and gives way to one that is named', async () => {
    const settings = { audit: { change_refs: { 'proxmox-api:home': 'acme/infra#2', 'manual:admin': 'acme/infra#5' } } };
    const service = await startService({ settings });
    const { call } = service;
    const words = { token_name: 'hooks', scopes: ['ci:write'], standing_change_ref: 'acme/infra#3' };
    const { token } = (await call('POST', '/tokens', words)).body as { token: string };
    const Authorization = `Bearer ${token}`;

    await call('POST', '/ci', machine, { Authorization });
    const byToken = await lastChange(service);
    await call('PATCH', '/ci/web-1', { owner: 'ann' }, { Authorization, 'X-Change-Ref': 'acme/infra#4' });
    const named = await lastChange(service);
    const reading = { source: 'proxmox-api:home', complete: true, items: [{ ...machine, external_id: 'qemu/1' }] };
    await call('POST', '/passes', reading);
    const silent = await call('PATCH', '/ci/web-1', { owner: 'bob' });
    const bySource = await lastChange(service, '/changes?limit=1&source=proxmox-api:home');

    expect(silent.headers.get('x-change-ref-warning')).toBeNull();
    expect(byToken).toMatchObject({ change_ref: 'acme/infra#3', change_ref_standing: true });
    expect(named).toMatchObject({ change_ref: 'acme/infra#4', change_ref_standing: false });
    expect(bySource).toMatchObject({ change_ref: 'acme/infra#2', change_ref_standing: true });
  });

  test('that is enforced is wanted by every call that changes anything, and by none that does not', async () => {
    const settings = { audit: { require_change_ref: { 'manual:*': 'enforce' } } };
    const service = await startService({ settings });
    const { call } = service;
    const named = { 'X-Change-Ref': 'acme/infra#7' };
    await call('POST', '/ci', machine, named);
    await call('POST', '/credentials', { credential_name: 'pve', credential_type: 'api_token' }, named);
    const before = (await call('GET', '/changes')).body as { count: number };

    const refused = [
      await call('PATCH', '/ci/web-1', { owner: 'ann' }),
      await call('PUT', '/ci/web-1/hold', { reason: 'disk' }),
      await call('PUT', '/ci/web-1/pins/owner', { value: 'ann', reason: 'hers' }),
      await call('PUT', '/ci/web-1/relationships/depends_on/web-1', {}),
      await call('DELETE', '/ci/web-1'),
      await call('PUT', '/sites/site-ranch', { name: 'The ranch' }),
      await call('PUT', '/groups/web', { vars: { port: 80 } }),
      await call('POST', '/credentials/pve/rotated'),
      await call('PUT', '/credentials/pve/associations/web-1'),
    ];
    const bulk = await call('POST', '/ci/bulk', { items: [{ ...machine, ci_name: 'web-2' }] });
    const same = await call('PATCH', '/ci/web-1', {});
    const after = (await call('GET', '/changes')).body as { count: number };

    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 400));
    expect(refused[0]?.body).toMatchObject({ errors: [{ pointer: '/change_ref', detail: 'is wanted' }] });
    expect(bulk.body).toMatchObject({ results: [{ status: 400 }] });
    expect(same.status).toBe(200);
    expect(after.count).toBe(before.count);
  });
});

test('the share of changes with a reference is told in all, by source, and in figures', async () => {
  const settings = { audit: { change_refs: { 'proxmox-api:home': 'acme/infra#2' } } };
  const { call } = await startService({ settings });
  await call('POST', '/ci', machine, { 'X-Change-Ref': 'acme/infra#7' });
  await call('PATCH', '/ci/web-1', { owner: 'ann' });
  await call('PATCH', '/ci/web-1', { owner: 'bob' });
  await call('POST', '/passes', {
    source: 'proxmox-api:home',
    complete: true,
    items: [{ ci_name: 'db-1', external_id: '1' }],
  });

  const { body } = await call('GET', '/changes/references');
  const metrics = (await call('GET', '/metrics')).body as string;

  expect(body).toMatchObject({ given: 1, standing: 1, none: 2, share: 0.5 });
  expect((body as { sources: Json[] }).sources).toEqual([
    { source: 'ansible:this-machine', required: 'off', given: 0, standing: 0, none: 1, share: 0 },
    { source: 'manual:admin', required: 'warn', given: 1, standing: 0, none: 2, share: 1 / 3 },
    { source: 'proxmox-api:home', required: 'warn', given: 0, standing: 1, none: 0, share: 1 },
  ]);
  expect(metrics).toContain('rollcall_changes{reference="none"} 2');
  expect(metrics).toContain('rollcall_changes_referred_ratio 0.5');
});
