/** The example playbook that rotates a credential, run by the real Ansible. */

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ansibleAges } from '../ansible/run-ansible.ts';
import { checkout, controllerOf } from '../collection/controller.ts';
import { startService } from '../service.ts';

/** A role that puts a new secret into place, but not on a host of that name. */
const role = `
- ansible.builtin.command: "true"
  changed_when: true
- ansible.builtin.fail: {msg: no room on the disk}
  when: inventory_hostname == broken | default('')
`;

describe.each(ansibleAges)('under the %s Ansible', (age) => {
  async function world(hosts: Record<string, object>) {
    const service = await startService();
    const words = { credential_name: 'deploy key', credential_type: 'ssh_key', rotation_period_days: 90 };
    await service.call('POST', '/credentials', { ...words, next_rotation_due: '2026-03-05' });
    const env = { ROLLCALL_CHANGE_REF: 'acme/infra#42' };
    const { folder, run } = controllerOf(service, age, { token: service.adminToken, env });
    mkdirSync(join(folder, 'roles/rotate_deploy_key/tasks'), { recursive: true });
    writeFileSync(join(folder, 'roles/rotate_deploy_key/tasks/main.yml'), role);
    // Ansible looks for roles beside a playbook.
    copyFileSync(join(checkout, 'examples/rotate.yml'), join(folder, 'rotate.yml'));
    writeFileSync(join(folder, 'hosts.json'), JSON.stringify({ all: { hosts } }));
    return {
      rotate: (...more: string[]) => {
        const extra = JSON.stringify({ credential: 'deploy key', rotation_role: 'rotate_deploy_key' });
        return run('ansible-playbook', '-i', 'hosts.json', 'rotate.yml', '-e', extra, ...more);
      },
      credential: async () => (await service.call('GET', '/credentials/deploy key')).body,
      changes: async () => (await service.call('GET', '/changes?limit=1')).body,
    };
  }
  const local = { ansible_connection: 'local', ansible_python_interpreter: '{{ ansible_playbook_python }}' };

  test('what the role has rotated on every host is marked rotated', async () => {
    const { rotate, credential, changes } = await world({ 'web-1': local, 'web-2': local });

    const { code, stdout } = await rotate();

    expect({ code, stdout }).toEqual({ code: 0, stdout });
    expect(await credential()).toMatchObject({ last_rotated_at: '2026-03-02T10:00:00.000Z', days_left: 90 });
    expect(await changes()).toMatchObject({ items: [{ action: 'rotated', change_ref: 'acme/infra#42' }] });
  });

  test('what failed on one host, or did not reach it, stays due', async () => {
    const failing = await world({ 'web-1': local, 'web-2': local });
    const gone = { ansible_host: '127.0.0.1', ansible_port: 9, ansible_ssh_timeout: 2 };
    const unreachable = await world({ 'web-1': local, 'web-2': gone });

    const failed = await failing.rotate('-e', 'broken=web-2');
    const away = await unreachable.rotate();

    expect([failed.code, away.code]).not.toContain(0);
    expect([failed.stdout, away.stdout]).toEqual([
      expect.stringContaining('no room on the disk'),
      expect.stringContaining('UNREACHABLE'),
    ]);
    for (const one of [failing, unreachable])
      expect(await one.credential()).toMatchObject({ last_rotated_at: null, days_left: 3 });
  });
});
