/** The roles, played by both Ansibles on this machine. */

import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { faultOfPath } from '../../src/cli/unit.ts';
import { ansibleAges, emptyFolder } from '../ansible/run-ansible.ts';
import { startService } from '../service.ts';
import { controllerOf } from './controller.ts';

const program = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const canBeInstalled = process.getuid?.() === 0 && faultOfPath(program) === undefined;

describe.each(ansibleAges)('under the %s Ansible', (age) => {
  const roleOf = (service: Parameters<typeof controllerOf>[0] & { adminToken: string }) => {
    const { folder, run } = controllerOf(service, age, { token: service.adminToken });
    return async (role: string, vars: object, ...words: string[]) => {
      const play = { hosts: 'localhost', connection: 'local', gather_facts: false, vars, roles: [role] };
      writeFileSync(join(folder, 'site.yml'), JSON.stringify([play]));
      const { code, stdout, stderr } = await run('ansible-playbook', 'site.yml', ...words);
      const changed = Number(/changed=(\d+)/.exec(stdout)?.[1]);
      return { code, changed, printed: stdout + stderr };
    };
  };

  test('register_host tells what identifies a host and what it is made of, once', async () => {
    const service = await startService();
    const play = roleOf(service);
    const vars = {
      register_host_name: 'web-9',
      register_host_type: 'physical_server',
      register_host_site: 'site-ranch',
      register_host_address: '10.0.0.9',
      register_host_groups: ['web'],
      register_host_owner: 'alice',
    };

    const rehearsed = await play('rollcall.cmdb.register_host', vars, '--check');
    const missing = await service.call('GET', '/ci/web-9');
    const first = await play('rollcall.cmdb.register_host', vars);
    const again = await play('rollcall.cmdb.register_host', vars);

    expect([rehearsed.code, first.code, again.code], rehearsed.printed + first.printed).toEqual([0, 0, 0]);
    expect(missing.status).toBe(404);
    expect([first.changed, again.changed]).toEqual([1, 0]);
    expect((await service.call('GET', '/ci/web-9')).body).toMatchObject({
      ci_type: 'physical_server',
      ci_status: 'active',
      site_id: 'site-ranch',
      owner: 'alice',
      ansible: { host: '10.0.0.9', groups: ['web'] },
      technical_specs: { kernel: expect.any(String), os: expect.any(String), memory_mb: expect.any(Number) },
    });
  });

  test('rollcall_server installs the service with settings and secrets, and then changes nothing', async () => {
    const image = emptyFolder();
    mkdirSync(join(image, 'etc'));
    writeFileSync(join(image, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\n');
    writeFileSync(join(image, 'etc/group'), 'root:x:0:\n');
    const play = roleOf(await startService());
    const vars = {
      rollcall_server_folder: program,
      rollcall_server_image: image,
      rollcall_server_settings: { timezone: 'Europe/Berlin', http: { listen: '127.0.0.1:7474' } },
      rollcall_server_secrets: { 'pve.token': 'canary-secret' },
    };

    const first = await play('rollcall.cmdb.rollcall_server', vars);

    if (!canBeInstalled)
      return expect(first).toMatchObject({ code: 2, printed: expect.stringMatching(/root|is kept out of/) });
    const again = await play('rollcall.cmdb.rollcall_server', vars);
    expect([first.code, again.code, again.changed], first.printed + again.printed).toEqual([0, 0, 0]);
    expect(first.printed + again.printed).not.toContain('canary');
    const settings = statSync(join(image, 'etc/rollcall/rollcall.yml'));
    expect(settings.mode & 0o777).toBe(0o640);
    expect(settings.gid).toBe(statSync(join(image, 'var/lib/rollcall')).gid);
    expect(readFileSync(join(image, 'etc/rollcall/rollcall.yml'), 'utf8')).toContain('timezone: Europe/Berlin');
    expect(readFileSync(join(image, 'etc/rollcall/pve.token'), 'utf8')).toBe('canary-secret');
    expect(readFileSync(join(image, 'etc/systemd/system/rollcall.service'), 'utf8')).toContain(
      `${program}/src/rollcall.mjs serve`,
    );
  });
});
