import { expect, test } from 'vitest';
import { startService } from '../service.ts';
import { besides, runProgram } from './run.ts';

const script = new URL('../../ansible/inventory.py', import.meta.url).pathname;

test('it prints byte for byte what Ansible gets on this machine', async () => {
  const service = await startService();
  await service.call('POST', '/ci', { ci_name: 'web-1', ansible: { host: '10.0.0.1' } });
  const env = { ROLLCALL_URL: service.url, ROLLCALL_TOKEN: service.ansibleToken };

  const { code, stdout } = await besides(service)('inventory');
  const told = await runProgram('python3', [script, '--list'], { folder: service.folder, env });

  expect(code).toBe(0);
  expect(stdout.trimEnd()).toBe(told.stdout.trimEnd());
  expect(JSON.parse(stdout)._meta.hostvars).toHaveProperty('web-1');
});

test('filters go to the service', async () => {
  const service = await startService();
  const rollcall = besides(service);
  await service.call('POST', '/ci', { ci_name: 'web-1', site_id: 'site-ranch', ansible: { groups: ['web'] } });

  const site = await rollcall('inventory', '--site', 'site-ranch');
  const host = await rollcall('inventory', '--host', 'web-1');
  const ghost = await rollcall('inventory', '--host', 'ghost');

  expect(Object.keys(JSON.parse(site.stdout)._meta.hostvars)).toEqual(['web-1']);
  expect(JSON.parse(host.stdout)).toHaveProperty('rollcall');
  expect(ghost).toMatchObject({ code: 1, stdout: '' });
  expect(ghost.stderr).toContain('No host ghost is in the inventory');
});

test('why says whether a host is served, where its address came from, and what put it into each group', async () => {
  const service = await startService();
  await service.call('POST', '/ci', { ci_name: 'web-1', ansible: { host: '10.0.0.1', groups: ['web'] } });
  await service.call('POST', '/ci', { ci_name: 'off-1', ansible: { enabled: false } });
  const rollcall = besides(service);

  const served = await rollcall('inventory', 'why', 'web-1', '--site', 'site-home');
  const left = await rollcall('inventory', 'why', 'off-1');

  expect(served.stdout).toMatch(
    /^item +web-1\nserved +yes: .+\nname +web-1: .+\naddress +10\.0\.0\.1: .+manual:admin\n\nGROUP/,
  );
  expect(served.stdout).toMatch(/^web +ansible\.groups names it$/m);
  expect(left.stdout).toMatch(/^served +no: ansible\.enabled is false$/m);
  expect(left.stdout).toMatch(/^address +none is known; Ansible looks the name up$/m);
});

test('why looks for the item at the site that is named behind it', async () => {
  const service = await startService();
  const rollcall = besides(service);
  await service.call('POST', '/ci', { ci_name: 'web-1', site_id: 'site-home' });
  await service.call('POST', '/ci', { ci_name: 'web-1', site_id: 'site-ranch', ansible: { enabled: false } });

  const ranch = await rollcall('inventory', 'why', 'web-1.site-ranch');
  const named = await rollcall('inventory', 'why', 'web-1', '--site', 'site-ranch', '--json');

  expect(ranch.code).toBe(1);
  expect(JSON.parse(named.stdout)).toMatchObject({ ci_name: 'web-1', served: false });
});

test('diff says which hosts and groups came, went and changed', async () => {
  const service = await startService();
  const rollcall = besides(service);
  await service.call('POST', '/ci', { ci_name: 'web-1', ansible: { host: '10.0.0.1' } });
  await service.call('POST', '/ci', { ci_name: 'old-1' });
  await rollcall('inventory');
  const before = service.now().toString();
  service.pass({ minutes: 1 });
  await service.call('PUT', '/ci/web-1', { ansible: { host: '10.0.0.2', groups: ['web'] } });
  await service.call('POST', '/ci', { ci_name: 'new-1' });
  await service.call('DELETE', '/ci/old-1');

  const { code, stdout } = await rollcall('inventory', 'diff', before);
  const same = await rollcall('inventory', 'diff', service.now().toString());

  expect(code).toBe(0);
  const lines = stdout.split('\n');
  expect(lines[0]).toMatch(/^\d+-[0-9a-f]{12} → \d+-[0-9a-f]{12}$/);
  expect(lines).toEqual(
    expect.arrayContaining([
      '+ host new-1',
      '- host old-1',
      '~ host web-1',
      '    ansible_host  10.0.0.1 → 10.0.0.2',
      '+ group web',
    ]),
  );
  expect(same.stdout).toMatch(/→ .+\nNothing differs\.\n$/);
});

test('the OpenAPI document is that of the service', async () => {
  const service = await startService();

  const { stdout } = await besides(service)('openapi');

  expect(JSON.parse(stdout)).toEqual((await service.call('GET', '/openapi.json')).body);
});
