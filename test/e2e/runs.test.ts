/** A project into which Rollcall was set up: the real playbook, reported to the real service. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ansibleAges, emptyFolder, runAnsible } from '../ansible/run-ansible.ts';
import { run } from '../cli/run.ts';
import { startService } from '../service.ts';

const playbook = `
- name: Learn of it
  hosts: solo
  tasks:
    - name: Change something
      ansible.builtin.command: "true"

- name: Work on all
  hosts: all
  gather_facts: false
  tasks:
    - name: Fail on one
      ansible.builtin.command: "false"
      when: inventory_hostname == 'other'
    - name: Loop
      ansible.builtin.command: "true"
      changed_when: false
      loop: [1, 2]
`;

describe.each(ansibleAges)('under the %s Ansible', (age) => {
  test('what a playbook did is told of the run, of its hosts, and in the inventory', async () => {
    const service = await startService({ startsAt: new Date().toISOString() });
    for (const ci_name of ['solo', 'other'])
      await service.call('POST', '/ci', {
        ci_type: 'machine',
        ci_name,
        lifecycle: 'active',
        ansible: { connection: 'local', vars: { ansible_python_interpreter: '{{ ansible_playbook_python }}' } },
      });
    const home = emptyFolder();
    const project = join(home, 'infra');
    mkdirSync(project);
    writeFileSync(join(project, 'site.yml'), playbook);
    expect(await run(['ansible', 'setup', project], { folder: home })).toMatchObject({ code: 0 });
    const env = {
      HOME: home,
      ROLLCALL_URL: service.url,
      ROLLCALL_TOKEN: service.ansibleToken,
      ROLLCALL_CHANGE_REF: 'acme/infra#7',
    };

    const played = await runAnsible(age, 'ansible-playbook', ['site.yml', '--limit', 'solo,other'], {
      cwd: project,
      env,
    });

    expect({ code: played.code, stderr: played.stderr }).toEqual({ code: 2, stderr: '' });
    const { items } = (await service.call('GET', '/runs')).body as { items: { run_id: string }[] };
    expect(items).toHaveLength(1);
    const [{ run_id }] = items as [{ run_id: string }];
    const { body } = await service.call('GET', `/runs/${run_id}`);
    const told = body as { inventory_version: string; plays: { tasks: { name: string }[] }[] };
    expect(told).toMatchObject({
      playbook: 'site.yml',
      outcome: 'failed',
      limit: 'solo,other',
      change_ref: 'acme/infra#7',
      unknown_hosts: 0,
      hosts: {
        solo: { known: true, ok: 3, changed: 1, failures: 0, skipped: 1 },
        other: { known: true, ok: 0, failures: 1 },
      },
      matrix: { solo: 'ocso', other: '..f.' },
      plays: [{ name: 'Learn of it' }, { name: 'Work on all' }],
    });
    expect(told.plays.map(({ tasks }) => tasks.map(({ name }) => name))).toEqual([
      ['Gathering Facts', 'Change something'],
      ['Fail on one', 'Loop'],
    ]);

    const { body: solo } = await service.call('GET', '/ci/solo');
    expect(solo).toMatchObject({
      last_configured_at: expect.any(String) as unknown,
      technical_specs: { kernel: expect.any(String) as unknown, python_version: expect.any(String) as unknown },
    });
    const inventory = (await service.call('GET', '/inventory')).body as Record<string, { hosts: string[] }>;
    expect(inventory.last_run_failed?.hosts).toEqual(['other']);
    expect(inventory.last_run_changed?.hosts).toEqual(['solo']);
    expect(inventory.never_configured?.hosts).toContain('other');
    const seen = (await service.call('GET', `/runs/${run_id}/inventory`)).body as Record<string, { vars?: object }>;
    expect(seen.all?.vars).toMatchObject({ rollcall_inventory_version: told.inventory_version });
    expect(seen).not.toHaveProperty('last_run_failed');

    const again = await runAnsible(age, 'ansible-playbook', ['site.yml', '-l', 'last_run_failed', '--list-hosts'], {
      cwd: project,
      env,
    });
    expect(again.stdout).toMatch(/hosts \(1\):\s+other\s/);
  });
});
