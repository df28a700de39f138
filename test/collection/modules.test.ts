/** The modules: changed only where something changed, and check mode says what would be. */

import { describe, expect, test } from 'vitest';
import { ansibleAges } from '../ansible/run-ansible.ts';
import { startService } from '../service.ts';
import { controllerOf } from './controller.ts';
import { type Result, runModules, type Step } from './run-modules.ts';

type Row = Record<string, unknown>;

const changes = (results: readonly Result[]) => results.map(({ changed }) => changed);

describe.each(ansibleAges)('under the %s Ansible', (age) => {
  async function world(...names: string[]) {
    const service = await startService();
    for (const ci_name of names) await service.call('POST', '/ci', { ci_name });
    return { ...service, run: async (...steps: Step[]) => await runModules(age, service, steps) };
  }

  test('ci registers an item once, for the work that it is told of', async () => {
    const { call, run } = await world();
    const app = { name: 'app-1', ci_type: 'virtual_machine', owner: 'alice', technical_specs: { cpu_cores: 2 } };

    const results = await run(['ci', app, 'check'], ['ci', { ...app, change_ref: 'acme/infra#42' }], ['ci', app]);

    const wanted = { ci_name: 'app-1', ci_type: 'virtual_machine', owner: 'alice', technical_specs: { cpu_cores: 2 } };
    expect(results).toMatchObject([
      { changed: true, created: true, ci: wanted, diff: { before: {}, after: wanted } },
      { changed: true, created: true, ci: wanted },
      { changed: false, created: false, ci: wanted },
    ]);
    const { items } = (await call('GET', '/changes')).body as { items: Row[] };
    expect(items[0]).toMatchObject({
      action: 'created',
      change_ref: 'acme/infra#42',
      subject_id: results[1]?.ci?.ci_id,
    });
  });

  test('ci adds what it says to what stands, and takes words back', async () => {
    const { call, run } = await world();
    await call('POST', '/ci', { ci_name: 'app-1', owner: 'alice', notes: 'old', tags: ['a'], site_id: 'site-b' });
    const { ci_id } = (await call('GET', '/ci/app-1')).body as Row;
    const bob = { name: 'app-1', owner: 'bob', technical_specs: { memory_mb: 4096 } };

    const results = await run(
      ['ci', { name: 'app-1', owner: 'alice', tags: ['a'] }],
      ['ci', bob, 'check'],
      ['ci', bob],
      ['ci', bob],
      ['ci', { ci_id, name: 'app-2', take_back: ['notes'], tags: [] }],
    );

    expect(changes(results)).toEqual([false, true, true, false, true]);
    for (const result of results.slice(1, 3))
      expect(result.diff).toMatchObject({ before: { owner: 'alice' }, after: { owner: 'bob' } });
    expect(results.at(-1)?.ci).toMatchObject({
      ci_id,
      ci_name: 'app-2',
      site_id: 'site-b',
      owner: 'bob',
      notes: null,
      tags: [],
      technical_specs: { memory_mb: 4096 },
    });
  });

  test('ci retires and hides, each once, and brings back what it registers again', async () => {
    const { run } = await world('app-1');
    const retired = { name: 'app-1', ci_status: 'retired' };
    const hidden = { name: 'app-1', state: 'absent' };
    const present = { name: 'app-1', owner: 'alice' };

    const results = await run(
      ...([
        ['ci', retired],
        ['ci', retired],
        ['ci', present],
        ['ci', hidden, 'check'],
        ['ci', hidden],
        ['ci', hidden],
        ['ci', present, 'check'],
        ['ci', present],
      ] as const),
    );

    expect(changes(results)).toEqual([true, false, true, true, true, false, true, true]);
    expect(results[2]).toMatchObject({ created: false, ci: { ci_status: 'active', owner: 'alice' } });
    expect(results[7]).toMatchObject({ created: false, ci: { ci_id: results[0]?.ci?.ci_id, deleted_at: null } });
  });

  test('ci says what is outranked, and what is wrong', async () => {
    const { call, run } = await world('twin');
    const measured = { managed_by: 'proxmox-api', external_id: 'x/1', technical_specs: { cpu_cores: 8 } };
    await call('POST', '/ci', { ci_name: 'db-1', ...measured });
    await call('POST', '/ci', { ci_name: 'twin', site_id: 'site-b' });

    const [outranked, wrong, ambiguous, nowhere] = await run(
      ['ci', { name: 'db-1', technical_specs: { cpu_cores: 4 } }],
      ['ci', { name: 'db-2', ci_status: 'retyred', technical_specs: { vmid: 'x' } }],
      ['ci', { name: 'twin', owner: 'alice' }],
      ['ci', { name: 'x', url: 'http://127.0.0.1:1' }],
    );

    expect(outranked).toMatchObject({
      changed: false,
      ci: { technical_specs: { cpu_cores: 8 } },
      shadowed: [{ pointer: '/technical_specs/cpu_cores', value: 8, by: 'proxmox-api:admin' }],
    });
    expect(JSON.stringify(outranked?.warnings)).toContain(
      'db-1/technical_specs/cpu_cores stays 8: proxmox-api:admin outranks it',
    );
    expect(wrong).toMatchObject({
      failed: true,
      msg: expect.stringContaining('did you mean "retired"?') as string,
    });
    expect(wrong?.msg).toContain('At /technical_specs/vmid: ');
    expect(ambiguous?.msg).toMatch(/^2 configuration items are named twin; .* There are: machine at site-\w+ \(/);
    expect(nowhere?.msg).toBe('Rollcall at http://127.0.0.1:1 cannot be reached (connection refused)');
  });

  test('hold holds and releases, each once', async () => {
    const { run } = await world('web-1');
    const held = { ci: 'web-1', reason: 'new disk', until: '2026-03-05T10:00' };
    const released = { ci: 'web-1', state: 'absent', reason: 'it is in' };

    const results = await run(
      ['hold', held, 'check'],
      ['hold', held],
      ['hold', held],
      ['hold', { ...held, until: '3d' }],
      ['hold', { ...held, reason: 'and a fan' }],
      ['hold', released, 'check'],
      ['hold', released],
      ['hold', released],
      ['hold', { ci: 'web-1' }],
    );

    const hold = { reason: 'new disk', by: 'manual:admin', until: '2026-03-05T10:00:00.000Z' };
    expect(results).toMatchObject([
      { changed: true, hold, diff: { before: {}, after: hold } },
      { changed: true, hold, ci: { ci_status: 'maintenance' } },
      { changed: false, hold },
      { changed: false, hold },
      { changed: true, hold: { ...hold, reason: 'and a fan' } },
      { changed: true, hold: null },
      { changed: true, hold: null, ci: { ci_status: 'active' } },
      { changed: false, hold: null },
      { failed: true, msg: expect.stringContaining('reason') as string },
    ]);
  });

  test('relationship says and takes back, each once, and leaves what others say', async () => {
    const { call, run } = await world('web-1', 'db-1');
    const relationships = [{ relationship_type: 'runs_on', ci_name: 'db-1' }];
    await call('POST', '/ci', { ci_name: 'web-1', managed_by: 'terraform', external_id: 'x', relationships });
    const edge = { ci: 'web-1', type: 'depends_on', target: 'db-1' };
    const critical = { ...edge, strength: 'critical' };
    const absent = { ...edge, state: 'absent' };

    const results = await run(
      ['relationship', critical, 'check'],
      ['relationship', critical],
      ['relationship', critical],
      ['relationship', { ...edge, note: 'sessions' }],
      ['relationship', absent, 'check'],
      ['relationship', absent],
      ['relationship', absent],
      ['relationship', { ...absent, type: 'runs_on' }],
      ['relationship', { ...absent, ci: 'ghost' }],
    );

    const said = { relationship_type: 'depends_on', relationship_strength: 'critical', ci_name: 'db-1', note: null };
    expect(results).toMatchObject([
      { changed: true, relationship: said },
      { changed: true, relationship: said, diff: { before: {}, after: said } },
      { changed: false, relationship: said },
      { changed: true, diff: { before: said, after: { relationship_strength: 'strong', note: 'sessions' } } },
      { changed: true, relationship: null, still_said_by: [] },
      { changed: true, relationship: null, still_said_by: [] },
      { changed: false, relationship: null, still_said_by: [] },
      { changed: false, relationship: null, still_said_by: ['terraform:admin'] },
      { failed: true, msg: 'No configuration item is named ghost.' },
    ]);
    expect(JSON.stringify(results[7]?.warnings)).toContain('terraform:admin does. It stands until taken back there.');
  });

  test('credential records one once, with who uses it, and says that it was rotated', async () => {
    const { call, run } = await world('web-1', 'web-2');
    const key = {
      name: 'deploy key',
      type: 'ssh_key',
      rotation_period_days: 90,
      used_by: [{ ci: 'web-1', role: 'deploy' }],
    };

    const results = await run(
      ['credential', key, 'check'],
      ['credential', key],
      ['credential', key],
      ['credential', { ...key, used_by: [{ ci: 'web-2' }] }],
      ['credential', { name: 'deploy key', state: 'rotated', note: 'by hand' }, 'check'],
      ['credential', { name: 'deploy key', state: 'rotated', note: 'by hand', change_ref: 'acme/infra#42' }],
      ['credential', { name: 'ghost', state: 'rotated' }],
      ['credential', { name: 'deploy key' }],
    );

    expect(results.map(({ changed }) => changed)).toEqual([true, true, false, true, true, true, undefined, undefined]);
    expect(results[3]?.diff).toMatchObject({
      before: { used_by: { 'web-1': 'deploy' } },
      after: { used_by: { 'web-1': 'deploy', 'web-2': null } },
    });
    expect(results[5]?.credential).toMatchObject({ last_rotated_at: '2026-03-02T10:00:00.000Z', days_left: 90 });
    expect(results[6]).toMatchObject({ failed: true, msg: 'There is no credential ghost.' });
    expect(results[7]).toMatchObject({
      failed: true,
      msg: 'state is present but all of the following are missing: type',
    });
    const { rotations } = (await call('GET', '/credentials/deploy key/explain')).body as { rotations: Row[] };
    expect(rotations).toMatchObject([{ evidence: 'word', note: 'by hand', change_ref: 'acme/infra#42' }]);
  });

  test('in a playbook they obey check mode, take settings for all of them, and show no token', async () => {
    const service = await startService();
    const { play, printed } = controllerOf(service, age);
    const web = { 'rollcall.cmdb.ci': { name: 'web-1', owner: 'alice' } };
    const defaults = { module_defaults: { 'group/rollcall.cmdb.all': { token: service.adminToken } } };

    const { foreseen, made, held, reader } = await play(
      [
        { ...web, ...defaults, register: 'foreseen', check_mode: true, diff: true },
        { ...web, ...defaults, register: 'made' },
        {
          'rollcall.cmdb.hold': { ci: 'web-1', reason: 'x' },
          ...defaults,
          register: 'held',
          delegate_to: 'localhost',
        },
        { 'rollcall.cmdb.hold': { ci: 'web-1', reason: 'y' }, register: 'reader', ignore_errors: true },
      ],
      '-vvv',
    );

    expect([foreseen, made, held].map((result) => result?.changed)).toEqual([true, true, true]);
    expect(printed()).toContain('+    "owner": "alice"');
    expect(reader).toMatchObject({ failed: true, msg: expect.stringContaining('lacks the scope ci:write') as string });
    for (const token of [service.adminToken, service.ansibleToken]) expect(printed()).not.toContain(token);
  });
});
