/** The modules under the real Ansible: changed only where something changed, and check mode says what would be. */

import { describe, expect, test } from 'vitest';
import { startService } from '../service.ts';
import { controllerOf, type Registered } from './controller.ts';

type Row = Record<string, unknown>;

const inCheckMode = { check_mode: true, diff: true };
const shown = ({ changed, ci, created }: Registered = {}) => ({ changed, created, owner: (ci as Row).owner });

describe('under the newest Ansible', () => {
  const age = 'newest';

  test('ci registers, describes, retires and hides, each once', async () => {
    const service = await startService();
    const { play } = controllerOf(service, age, { token: service.adminToken });
    const ci = (register: string, settings: object, more: object = {}) => ({
      'rollcall.cmdb.ci': { name: 'app-1', ...settings },
      register,
      ...more,
    });
    const said = { ci_type: 'virtual_machine', owner: 'alice', technical_specs: { cpu_cores: 2 }, tags: ['web'] };
    await service.call('POST', '/ci', {
      ci_name: 'db-1',
      site_id: 'site-b',
      managed_by: 'proxmox-api',
      external_id: 'x/1',
      technical_specs: { cpu_cores: 8 },
    });

    const r = await play([
      ci('foreseen', said, inCheckMode),
      ci('made', { ...said, change_ref: 'acme/infra#42' }),
      ci('again', said),
      ci('would_differ', { owner: 'bob' }, inCheckMode),
      ci('differs', { owner: 'bob' }, { diff: true }),
      ci('taken_back', { take_back: ['owner'] }),
      ci('outranked', { name: 'db-1', technical_specs: { cpu_cores: 4 } }),
      ci('retired', { ci_status: 'retired' }),
      ci('still_retired', { ci_status: 'retired' }),
      ci('brought_back', { owner: 'carol' }),
      ci('hidden', { state: 'absent' }),
      ci('still_hidden', { state: 'absent' }),
      ci('found_again', { owner: 'carol' }),
      ci('wrong', { ci_status: 'retyred' }, { ignore_errors: true }),
    ]);

    expect(shown(r.foreseen)).toEqual({ changed: true, created: true, owner: 'alice' });
    expect(shown(r.made)).toEqual({ changed: true, created: true, owner: 'alice' });
    expect(shown(r.again)).toEqual({ changed: false, created: false, owner: 'alice' });
    for (const other of [r.would_differ, r.differs])
      expect(shown(other)).toEqual({ changed: true, created: false, owner: 'bob' });
    expect(r.differs?.diff).toMatchObject({ before: { owner: 'alice' }, after: { owner: 'bob' } });
    expect(shown(r.taken_back)).toEqual({ changed: true, created: false, owner: null });
    expect(r.outranked).toMatchObject({
      changed: false,
      ci: { ci_name: 'db-1', site_id: 'site-b', technical_specs: { cpu_cores: 8 } },
      shadowed: [{ pointer: '/technical_specs/cpu_cores', value: 8 }],
      warnings: [expect.stringMatching(/^db-1\/technical_specs\/cpu_cores stays 8: proxmox-api:admin outranks it/)],
    });
    expect([r.retired?.changed, r.still_retired?.changed]).toEqual([true, false]);
    expect(r.brought_back).toMatchObject({
      changed: true,
      created: false,
      ci: { ci_status: 'active', owner: 'carol' },
    });
    expect([r.hidden?.changed, r.still_hidden?.changed]).toEqual([true, false]);
    expect(r.found_again).toMatchObject({ changed: true, created: false, ci: { deleted_at: null, owner: 'carol' } });
    expect(r.wrong).toMatchObject({ failed: true, msg: expect.stringContaining('did you mean "retired"?') as string });
    const ids = new Set(
      Object.values(r).flatMap(({ ci }) => ((ci as Row)?.ci_name === 'app-1' ? (ci as Row).ci_id : [])),
    );
    expect(ids.size).toBe(2); // the one foreseen was never made
    const { items } = (await service.call('GET', '/ci/app-1/changes')).body as { items: Row[] };
    expect(items.at(-1)).toMatchObject({ action: 'created', change_ref: 'acme/infra#42' });
    expect(items.map(({ action }) => action)).toEqual([
      'restored',
      'deleted',
      'updated',
      'retired',
      'updated',
      'updated',
      'created',
    ]);
  });

  test('hold and relationship do so once, and take it back once', async () => {
    const service = await startService();
    for (const ci_name of ['web-1', 'db-1']) await service.call('POST', '/ci', { ci_name });
    const { play } = controllerOf(service, age, { env: { ROLLCALL_TOKEN: service.adminToken } });
    const hold = (register: string, settings: object, more: object = {}) => ({
      'rollcall.cmdb.hold': { ci: 'web-1', reason: 'new disk', ...settings },
      register,
      ...more,
    });
    const edge = (register: string, settings: object = {}, more: object = {}) => ({
      'rollcall.cmdb.relationship': { ci: 'web-1', type: 'depends_on', target: 'db-1', ...settings },
      register,
      ...more,
    });
    const until = '2026-03-05T10:00';

    const r = await play([
      hold('would_hold', { until }, inCheckMode),
      hold('held', { until }),
      hold('still_held', { until }),
      hold('would_release', { state: 'absent' }, { check_mode: true }),
      hold('released', { state: 'absent' }),
      hold('still_released', { state: 'absent' }),
      edge('would_say', { strength: 'critical' }, inCheckMode),
      edge('said', { strength: 'critical' }),
      edge('still_said', { strength: 'critical' }),
      edge('said_otherwise', { note: 'sessions' }, { diff: true }),
      edge('taken_back', { state: 'absent' }),
      edge('still_taken_back', { state: 'absent' }),
    ]);

    const wanted = { reason: 'new disk', by: 'manual:admin', until: '2026-03-05T10:00:00.000Z' };
    for (const held of [r.would_hold, r.held]) expect(held).toMatchObject({ changed: true, hold: wanted });
    expect(r.held?.ci).toMatchObject({ ci_status: 'maintenance' });
    expect(r.still_held).toMatchObject({ changed: false, hold: wanted });
    for (const released of [r.would_release, r.released]) expect(released).toMatchObject({ changed: true, hold: null });
    expect(r.still_released).toMatchObject({ changed: false, hold: null });
    const critical = {
      relationship_type: 'depends_on',
      relationship_strength: 'critical',
      ci_name: 'db-1',
      note: null,
    };
    for (const said of [r.would_say, r.said]) expect(said).toMatchObject({ changed: true, relationship: critical });
    expect(r.still_said).toMatchObject({ changed: false, relationship: critical });
    expect(r.said_otherwise).toMatchObject({
      changed: true,
      diff: { before: critical, after: { relationship_strength: 'strong', note: 'sessions' } },
    });
    expect(r.taken_back).toMatchObject({ changed: true, relationship: null, still_said_by: [] });
    expect(r.still_taken_back).toMatchObject({ changed: false });
  });

  test('what only others say of a relationship stays, with a warning; no token is shown, whoever may not write', async () => {
    const service = await startService();
    await service.call('POST', '/ci', { ci_name: 'db-1' });
    const relationships = [{ relationship_type: 'depends_on', ci_name: 'db-1' }];
    await service.call('POST', '/ci', { ci_name: 'web-1', managed_by: 'terraform', external_id: 'x', relationships });
    const { play, printed } = controllerOf(service, age);
    const edge = { ci: 'web-1', type: 'depends_on', target: 'db-1', state: 'absent' };

    const { others, reader, down } = await play(
      [
        { 'rollcall.cmdb.relationship': { ...edge, token: service.adminToken }, register: 'others' },
        { 'rollcall.cmdb.hold': { ci: 'web-1', reason: 'x' }, register: 'reader', ignore_errors: true },
        {
          'rollcall.cmdb.ci': { name: 'x', url: 'http://127.0.0.1:1', token: 'another-token' },
          register: 'down',
          ignore_errors: true,
        },
      ],
      '-vvv',
    );

    expect(others).toMatchObject({
      changed: false,
      still_said_by: ['terraform:admin'],
      warnings: [expect.stringContaining('terraform:admin does')],
    });
    expect(reader).toMatchObject({ failed: true, msg: expect.stringContaining('lacks the scope ci:write') as string });
    expect(down).toMatchObject({
      failed: true,
      msg: 'Rollcall at http://127.0.0.1:1 cannot be reached (connection refused)',
    });
    for (const token of [service.adminToken, service.ansibleToken, 'another-token'])
      expect(printed()).not.toContain(token);
  });
});

test('they work under the oldest Ansible', async () => {
  const service = await startService();
  const { play } = controllerOf(service, 'oldest', { token: service.adminToken });
  const ci = { 'rollcall.cmdb.ci': { name: 'web-1', owner: 'alice', technical_specs: { cpu_cores: 2 } } };
  const edge = { 'rollcall.cmdb.relationship': { ci: 'web-1', type: 'runs_on', target: 'vm' } };
  await service.call('POST', '/ci', { ci_name: 'vm' });

  const r = await play([
    { ...ci, register: 'foreseen', ...inCheckMode },
    { ...ci, register: 'made', diff: true },
    { ...ci, register: 'again' },
    { 'rollcall.cmdb.hold': { ci: 'web-1', reason: 'new disk' }, register: 'held' },
    { ...edge, register: 'said' },
    { ...edge, register: 'still_said' },
  ]);

  expect(Object.entries(r).map(([name, { changed }]) => [name, changed])).toEqual([
    ['foreseen', true],
    ['made', true],
    ['again', false],
    ['held', true],
    ['said', true],
    ['still_said', false],
  ]);
});
