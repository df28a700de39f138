import { expect, test } from 'vitest';
import { startService } from '../service.ts';
import { besides } from './run.ts';

async function world() {
  const service = await startService();
  return { ...service, rollcall: besides(service) };
}

test('drift is shown with what is in force, what is measured, and what was intended', async () => {
  const { call, rollcall } = await world();
  const guest = (technical_specs: object, more: object) => ({
    source: 'proxmox-api:home',
    complete: true,
    items: [
      { ci_type: 'virtual_machine', ci_name: 'web-1', technical_specs: { vmid: 1, node: 'pve1', ...technical_specs } },
    ],
    ...more,
  });
  const none = await rollcall('drift');
  await call('POST', '/passes', guest({ cpu_cores: 2 }, {}));
  await call('POST', '/passes', guest({ cpu_cores: 4 }, { source: 'terraform:infra' }));

  const { code, stdout, stderr } = await rollcall('drift', 'web-1', '--site', 'site-home');
  const json = await rollcall('drift', '--json');
  const ghost = await rollcall('drift', 'ghost');

  expect(none).toEqual({ code: 0, stderr: '', stdout: 'Nothing that is measured differs from what was intended.\n' });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(
    /^web-1 +site-home +technical_specs.cpu_cores +2 +2 \(proxmox-api:home\) +4 \(terraform:infra\) +2026-03-02T10:00:00.000Z$/m,
  );
  expect(JSON.parse(json.stdout)).toMatchObject({ count: 1, items: [{ attribute: 'technical_specs.cpu_cores' }] });
  expect(ghost).toMatchObject({ code: 1, stderr: expect.stringContaining('No configuration item is named ghost.') });
});

test('open conflicts are shown with what the claim could be of', async () => {
  const { call, app, rollcall } = await world();
  const none = await rollcall('conflicts');
  await call('POST', '/passes', {
    source: 'import:home.yml',
    complete: true,
    items: [{ ci_type: 'machine', ci_name: 'a', external_id: 'key-a' }],
  });
  const { ci_id } = (await call('GET', '/ci/a')).body as { ci_id: string };
  const { claim_id } = await app.store.read
    .selectFrom('claims')
    .select('claim_id')
    .where('native_key', '=', 'key-a')
    .executeTakeFirstOrThrow();
  const conflict = {
    conflict_id: 'c-1',
    claim_id,
    candidates: JSON.stringify([claim_id]),
    reasons: JSON.stringify(['its MAC is that of a']),
    since: '2026-03-02T10:00:00.000Z',
  };
  await app.store.write(async (trx) => {
    await trx
      .insertInto('conflicts')
      .values({ ...conflict, until: null, decision: null, ci_id: null, decided_by: null })
      .execute();
  });

  const { code, stdout } = await rollcall('conflicts');
  const json = await rollcall('conflicts', '--json');

  expect(none.stdout).toBe('No conflict is open.\n');
  expect({ code, lines: stdout.split('\n') }).toEqual({
    code: 0,
    lines: [
      'c-1  import:home.yml speaks of a (key-a), since 2026-03-02T10:00:00.000Z',
      '    its MAC is that of a',
      `    Meanwhile it is on ${ci_id}.`,
      `    could be ${ci_id}  a (machine in site-home)`,
      '',
      'Answer with "rollcall conflicts resolve ID same NAME", or "… ID apart" where it is none of them.',
      '',
    ],
  });
  expect(JSON.parse(json.stdout)).toMatchObject({ count: 1 });
});
