import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startService } from '../service.ts';
import { besides, runOnTerminal } from './run.ts';

async function world() {
  const service = await startService();
  const machine = (ci_name: string) => ({ ci_type: 'machine', ci_name });
  await service.call('POST', '/passes', {
    source: 'import:home.yml',
    complete: true,
    items: [machine('a'), machine('b')],
  });
  service.pass({ hours: 3 });
  await service.call('PUT', '/ci/a', { ci_type: 'physical_server' });
  return { ...service, rollcall: besides(service) };
}

test('sources are listed with how much they speak of, and how long ago they were read', async () => {
  const { rollcall } = await world();

  const { code, stdout, stderr } = await rollcall('sources');
  const json = await rollcall('sources', 'list', '--json');

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^SOURCE +ROLE +SPEAKS OF +GONE +LAST HEARD +READ WHOLE +STATE$/m);
  expect(stdout).toMatch(/^import:home.yml +people +2 +0 +2026-03-02T10:00:00.000Z +3 h ago +-$/m);
  expect(stdout).toMatch(/^manual:admin +people +1 +0 +2026-03-02T13:00:00.000Z +- +-$/m);
  expect(JSON.parse(json.stdout)).toMatchObject({ count: 3 });
});

test('a source is withdrawn with --yes, and not without being asked', async () => {
  const { call, rollcall } = await world();

  const unasked = await rollcall('sources', 'withdraw', 'import:home.yml');
  const before = (await call('GET', '/ci/b')).body;
  const dry = await rollcall('sources', 'withdraw', 'import:home.yml', '--dry-run');
  const done = await rollcall('sources', 'withdraw', 'import:home.yml', '--yes');
  const listed = await rollcall('sources');

  expect(unasked).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing was changed: say --yes') });
  expect(unasked.stdout).toContain('- b  withdrawn: no source speaks for it any more');
  expect(before).toMatchObject({ ci_status: 'active' });
  expect(dry).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('import:home.yml speaks of 2 things; without it 1 item would change.'),
  });
  expect(done).toEqual({ code: 0, stderr: '', stdout: 'Withdrew 2 claims of import:home.yml; 1 item changed.\n' });
  expect((await call('GET', '/ci/b')).body).toMatchObject({ ci_status: 'missing' });
  expect((await call('GET', '/ci/a')).body).toMatchObject({ ci_status: 'active' });
  expect(listed.stdout).toMatch(/^import:home.yml .* withdrawn 2026-03-02T13:00:00.000Z$/m);
});

test('on a terminal it asks', async () => {
  const { call, folder } = await world();
  const env = { ROLLCALL_DATA: join(folder, 'data') };
  const typing = (stdin: string) => runOnTerminal(['sources', 'withdraw', 'import:home.yml'], { folder, env, stdin });

  const no = await typing('n\n');
  const kept = (await call('GET', '/ci/b')).body;
  const yes = await typing('y\n');

  expect(no.stdout).toContain('Withdraw all that import:home.yml says? [y/N]');
  expect({ no: no.code, kept, yes: yes.code }).toMatchObject({ no: 1, kept: { ci_status: 'active' }, yes: 0 });
  expect((await call('GET', '/ci/b')).body).toMatchObject({ ci_status: 'missing' });
});

test('a source that is not known is named with the one that was probably meant', async () => {
  const { rollcall } = await world();

  const { code, stderr } = await rollcall('sources', 'withdraw', 'home.yml', '--yes');

  expect(code).toBe(1);
  expect(stderr).toContain('There is no source home.yml. Did you mean import:home.yml?');
});
