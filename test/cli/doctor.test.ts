import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Service, startService, temporaryFolder } from '../service.ts';
import { besides, run } from './run.ts';

interface Finding {
  check: string;
  state: string;
  found: string;
  to_do?: string;
}

async function world(settings = {}) {
  const service = await startService({ startsAt: Temporal.Now.instant().toString(), settings });
  return { service, data: join(service.folder, 'data'), rollcall: besides(service) };
}

async function wrongOf(service: Service): Promise<Finding[]> {
  const { stdout } = await besides(service)('doctor', '--json');
  return (JSON.parse(stdout) as { findings: Finding[] }).findings.filter(({ state }) => state === 'wrong');
}

test('where all is well it says so, and ends with 0', async () => {
  const { rollcall } = await world();

  const { code, stdout, stderr } = await rollcall('doctor');

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/\n\nAll is well\.\n$/);
  const checks = stdout.match(/^(ok|note) +\S+( \S+)?(?= {2})/gm)?.map((line) => line.replace(/^\w+ +/, ''));
  expect(checks).toEqual([
    'configuration',
    'database',
    'disk space',
    'backups',
    'admin token',
    'ansible token',
    'service',
    'access',
    'tokens',
    'clock',
    'refused writes',
    'sources',
    'callbacks',
    'alerts',
  ]);
});

test('refused writes are a table: when, who, what, and the fault', async () => {
  const { service, rollcall } = await world();
  await service.call('POST', '/ci', '{"ci_name": "a", "technical_specs": {"disk_gb": 32G}}');
  await service.call('PUT', '/ci/a', { ansible: { port: 0 } });

  const { code, stdout } = await rollcall('doctor');

  expect(code).toBe(1);
  expect(stdout).toMatch(
    /^WRONG +refused writes +2 writes in the last day did not get in; the newest are below\n +→ /m,
  );
  expect(stdout).toMatch(
    /^REFUSED AT +BY +WRITE +STATUS +FAULT\n\S+Z +admin +PUT \/api\/v1\/ci\/a +400 +ansible\.port must be 1/m,
  );
  expect(stdout).toMatch(/^\S+Z +admin +POST \/api\/v1\/ci +400 +.+32G/m);
  expect(stdout).toMatch(/\nSomething is wrong: see above\.\n$/);
});

describe('it finds, and says what to do about:', () => {
  test('a token file that others can read', async () => {
    const { service, data } = await world();
    chmodSync(join(data, 'ansible.token'), 0o644);

    expect(await wrongOf(service)).toEqual([
      {
        check: 'ansible token',
        state: 'wrong',
        found: `others can read ${data}/ansible.token (mode 644)`,
        to_do: `chmod 600 ${data}/ansible.token, and replace the token if others may have read it.`,
      },
    ]);
  });

  test('a token file that the service does not know', async () => {
    const { service, data } = await world();
    writeFileSync(join(data, 'ansible.token'), 'former\n');

    expect(await wrongOf(service)).toMatchObject([
      { check: 'ansible token', found: expect.stringContaining('This token is not known here.') },
    ]);
  });

  test('a token that ends soon', async () => {
    const { service } = await world();
    const expires_at = Temporal.Now.instant().add({ hours: 72 }).toString();
    await service.call('POST', '/tokens', { token_name: 'hooks', scopes: ['ci:write'], expires_at });

    expect(await wrongOf(service)).toMatchObject([{ check: 'tokens', found: expect.stringContaining('hooks at 20') }]);
  });

  test('tokens that nobody uses, and such as may do everything', async () => {
    const service = await startService({
      startsAt: Temporal.Now.instant()
        .subtract({ hours: 100 * 24 })
        .toString(),
    });
    await service.call('POST', '/tokens', { token_name: 'hooks', scopes: ['ci:write'] });
    await service.call('POST', '/tokens', { token_name: 'chief', scopes: ['admin'] });
    service.pass({ hours: 100 * 24 });

    const { code, stdout } = await besides(service)('doctor');

    expect(stdout).toMatch(/^note +tokens +not used for 90 days: .*hooks/m);
    expect(stdout).toMatch(/^note +tokens +may do everything: chief$/m);
    expect(stdout).not.toMatch(/not used for 90 days: .*admin/);
    expect(code).toBe(0);
  });

  test('a callback that was copied and is another one by now', async () => {
    const { service, rollcall } = await world();
    const run = { playbook: 'site.yml', started_at: service.now().toString(), controller: 'ctl-1' };
    await service.call('PUT', '/runs/01a2176d-e9eb-75a6-be79-f7bebe036d89', { ...run, shim_version: '0.0.9' });

    const { stdout } = await rollcall('doctor');

    expect(stdout).toMatch(/^note +callbacks +of another version than \S+: 0\.0\.9 on ctl-1$/m);
  });

  test('a held reading', async () => {
    const { service } = await world();
    const read = (items: object[]) => service.call('POST', '/passes', { source: 'import:lab', complete: true, items });
    await read([{ ci_name: 'a' }]);
    await read([]);

    expect(await wrongOf(service)).toMatchObject([
      { check: 'alert', found: expect.stringContaining('import:lab'), to_do: expect.stringContaining('accept') },
    ]);
  });

  test('a clock that was ahead', async () => {
    const { service } = await world();
    service.pass({ hours: 48 });
    await service.call('POST', '/ci', { ci_name: 'a' });

    expect(await wrongOf(service)).toMatchObject([{ check: 'clock', to_do: expect.stringContaining('NTP') }]);
  });

  test('a service that does not run, and looks at the rest all the same', async () => {
    const { service, rollcall } = await world();
    await service.app.close();

    const { code, stdout } = await rollcall('doctor');
    await service.restart();

    expect(code).toBe(1);
    expect(stdout.match(/^WRONG.*$/gm)).toEqual(['WRONG  service         none is running on these data']);
    expect(stdout).toContain('npm start');
    expect(stdout).toMatch(/^ok +tokens /m);
  });

  test('a damaged database, which it leaves as it is', async () => {
    const folder = temporaryFolder();
    const env = { ROLLCALL_DATA: folder };
    writeFileSync(join(folder, 'rollcall.db'), 'this is no database');

    const { code, stdout } = await run(['doctor'], { folder, env });

    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^WRONG +database +it is damaged: .*\n +→ Stop the service and run "rollcall restore FILE"/m,
    );
  });

  test('data that are not there, of which it makes none', async () => {
    const folder = temporaryFolder();

    const { code, stdout } = await run(['doctor'], { folder });

    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^WRONG +database +there is none in ${folder}/data$`, 'm'));
    expect(readdirSync(folder)).toEqual([]);
  });

  test('settings that are wrong', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'rollcall.yml'), 'http: {listne: 1}\n');

    const { code, stdout } = await run(['doctor'], { folder });

    expect(code).toBe(1);
    expect(stdout).toMatch(/^WRONG +configuration +.*rollcall\.yml:1:8: /ms);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  test('a service elsewhere that does not take the token', async () => {
    const { service } = await world();
    const env = { ROLLCALL_URL: service.url, ROLLCALL_TOKEN: 'wrong' };

    const { code, stdout } = await run(['doctor'], { folder: temporaryFolder(), env });

    expect(code).toBe(1);
    expect(stdout).toMatch(/^ok +service +Rollcall \S+ answers at /m);
    expect(stdout).toMatch(/^WRONG +access +.*This token is not known here\./m);
  });
});

test('with a token for less, it says what it could not check', async () => {
  const { service } = await world();
  const env = { ROLLCALL_URL: service.url, ROLLCALL_TOKEN: service.ansibleToken };

  const { code, stdout } = await run(['doctor'], { folder: temporaryFolder(), env });

  expect(code).toBe(0);
  expect(stdout).toMatch(/^note +tokens +it could not be checked: .*lacks the scope admin/m);
});
