/** The real Ansible against the real service, without any configuration of Ansible. */

import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { thisMachine } from '../../src/inventory/here.ts';
import { ansibleAges, emptyFolder, inventoryScript, runAnsible, runProgram } from '../ansible/run-ansible.ts';
import { startService } from '../service.ts';
import { controllerOf, type inventoryOf } from './controller.ts';
import { startProcess } from './service-process.ts';

const examples = new URL('../../ansible/examples/', import.meta.url).pathname;

test('a controller that is another machine is never told that a host is local', async () => {
  const service = await startService();
  const asked = (headers: Record<string, string>) => service.call('GET', '/inventory', undefined, headers);
  const here = thisMachine().controller as string;

  const answers = await Promise.all([
    asked({}),
    asked({ 'X-Rollcall-Controller': '' }),
    asked({ 'X-Rollcall-Controller': 'f'.repeat(64) }),
    asked({ 'X-Rollcall-Controller': `${here},${here}` }),
  ]);
  const local = await asked({ 'X-Rollcall-Controller': here });
  const elsewhere = await asked({ 'If-None-Match': local.headers.get('etag') as string });

  for (const { status, body } of [...answers, elsewhere]) {
    expect(status).toBe(200);
    expect(JSON.stringify(body)).not.toMatch(/ansible_connection|ansible_python_interpreter/);
  }
  expect(JSON.stringify(local.body)).toContain('"ansible_connection":"local"');
});

/** Those that need no collection. Beside them lies a file of machines, which is read by `rollcall apply`. */
const playbooks = readdirSync(examples).filter((name) => !['machines.yml', 'compose.yml', 'rotate.yml'].includes(name));

describe.each(ansibleAges)('under the %s Ansible', (age) => {
  test('the first ping works straight after the first start, and so do the examples', async () => {
    const checkout = emptyFolder();
    cpSync(join(inventoryScript, '..'), join(checkout, 'ansible'), { recursive: true });
    const url = await startProcess(join(checkout, 'data')).serves;
    const options = { cwd: checkout, env: { ROLLCALL_URL: url, HOME: emptyFolder() } };
    const script = ['-i', 'ansible/inventory.py'];

    const [ping, ...played] = await Promise.all([
      runAnsible(age, 'ansible', ['all', ...script, '-m', 'ping'], options),
      ...playbooks.map((name) =>
        runAnsible(age, 'ansible-playbook', [...script, join('ansible/examples', name)], options),
      ),
    ]);

    expect(ping).toMatchObject({ code: 0, stderr: '' });
    expect(ping.stdout.match(/SUCCESS/g)).toHaveLength(1);
    expect(played.map(({ code, stderr }) => ({ code, stderr }))).toEqual(played.map(() => ({ code: 0, stderr: '' })));
    expect(played.map(({ stdout }) => /failed=0/.test(stdout))).toEqual(played.map(() => true));
  });

  test('what an operator wrote works as in a project of files, and what was observed is no template', async () => {
    const service = await startService({ settings: { inventory: { hostvars: ['motto', 'notes'] } } });
    const { folder, run } = controllerOf(service, age);
    writeFileSync(join(folder, 'password'), 'open sesame\n');
    const vault = async (text: string) => {
      const words = ['encrypt_string', '--vault-password-file', 'password', text];
      const { stdout } = await runProgram('ansible-vault', words, { cwd: folder, age });
      return { __ansible_vault: stdout.replace(/^!vault \|\s*/, '').replaceAll(/^ +/gm, '') };
    };
    const [ofHost, ofGroup] = await Promise.all([vault('secret of web-1'), vault('secret of the group')]);
    const template = "{{ 'made ' + 'by Jinja' }}";
    await service.call('PUT', '/groups/webservers', {
      vars: { group_secret: ofGroup, said: template, from_api: 5 },
      children: [],
    });
    await service.call('PUT', '/groups/fleet', { children: ['webservers'], match: { ci_name: 'no such' } });
    await service.call('POST', '/ci', {
      ci_name: 'web-1',
      notes: template,
      technical_specs: { motto: template },
      ansible: {
        groups: ['webservers'],
        connection: 'local',
        vars: { host_secret: ofHost, own: template, ansible_python_interpreter: '{{ ansible_playbook_python }}' },
      },
    });
    mkdirSync(join(folder, 'group_vars'));
    writeFileSync(join(folder, 'group_vars/webservers.yml'), 'from_file: the file of old\n');
    writeFileSync(
      join(folder, 'site.yml'),
      `
- hosts: fleet
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "[{{ from_file }}] [{{ own }}] [{{ said }}] [{{ rollcall.motto }}] [{{ rollcall.notes }}]"
    - ansible.builtin.assert:
        that:
          - host_secret == 'secret of web-1'
          - group_secret == 'secret of the group'
`,
    );

    const [played, listed, graph, one] = await Promise.all([
      run('ansible-playbook', '--vault-password-file', 'password', 'site.yml'),
      run('ansible-inventory', '--list'),
      run('ansible-inventory', '--graph'),
      run('ansible-inventory', '--host', 'web-1'),
    ]);

    expect(played).toMatchObject({ code: 0, stderr: '' });
    expect(played.stdout).toContain(
      `[the file of old] [made by Jinja] [made by Jinja] [${template}] [${template}]`.replaceAll('"', '\\"'),
    );
    expect(played.stdout).toMatch(/web-1 .*ok=2 .*failed=0/);
    for (const outcome of [listed, graph, one]) expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const shown = JSON.parse(listed.stdout) as Awaited<ReturnType<typeof inventoryOf>>;
    expect(shown._meta.hostvars['web-1']).toMatchObject({ host_secret: ofHost, group_secret: ofGroup, own: template });
    expect(shown._meta.hostvars['web-1']).toMatchObject({ rollcall: { motto: { __ansible_unsafe: template } } });
    expect(shown.webservers).toEqual({ hosts: ['web-1'] });
    expect(JSON.parse(one.stdout)).toMatchObject({ host_secret: ofHost, own: template, from_api: 5 });
    expect(graph.stdout).toMatch(/--@fleet:\n.*--@webservers:\n.*--web-1/);
  });

  test('an estate without a host, and one with a single host, are whole inventories', async () => {
    const service = await startService();
    const { run } = controllerOf(service, age);
    const { items } = (await service.call('GET', '/ci')).body as { items: { ci_id: string; ci_name: string }[] };
    const single = await run('ansible-inventory', '--list');
    await service.call('DELETE', `/ci/${items[0]?.ci_id}`);

    const [empty, ping] = await Promise.all([run('ansible-inventory', '--list'), run('ansible', 'all', '-m', 'ping')]);

    expect(single).toMatchObject({ code: 0, stderr: '' });
    expect(Object.keys(JSON.parse(single.stdout)._meta.hostvars)).toEqual([items[0]?.ci_name]);
    expect(empty).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(empty.stdout)._meta.hostvars).toEqual({});
    expect(ping.code).toBe(0);
    expect(ping.stderr).not.toMatch(/parse|Failed/i);
  });
});
