/** An estate that wants to run code on the controller: in no version of Ansible does any text of it. */

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ansibleAges, emptyFolder } from '../ansible/run-ansible.ts';
import { startService } from '../service.ts';
import { controllerOf, inventoryOf } from './controller.ts';
import { attacks, hostileEstate } from './hostile-estate.ts';

const texts = [
  'rollcall.tags[0]',
  'rollcall.environment',
  'rollcall.role',
  'rollcall.node',
  'rollcall.os',
  'rollcall.os_version',
  'rollcall.pool',
  'rollcall.fqdn',
  'rollcall.addresses[0]',
  'rollcall.criticality',
  'rollcall.notes',
  'rollcall.deep | dict2items | map(attribute="key") | first',
  'rollcall.deep | dict2items | map(attribute="value") | select("string") | first',
  'rollcall.list[0]',
  'rollcall.list[1].inner',
  '(rollcall | to_json | from_json).notes',
  'inventory_hostname',
  'group_names | join(" ")',
  'note',
];

const playbook = `
- hosts: all
  gather_facts: false
  connection: local
  ignore_errors: true
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
    texts: [${texts.map((text) => `"{{ (${text.replaceAll('"', "'")}) | default('') }}"`).join(', ')}]
  tasks:
    - ansible.builtin.debug: { var: "{{ 'rollcall' }}" }
    - ansible.builtin.debug: { var: hostvars }
      run_once: true
    - ansible.builtin.debug: { var: groups }
    - ansible.builtin.debug: { msg: "{{ texts }} {{ rollcall }} {{ hostvars[inventory_hostname].rollcall }}" }
    - name: "{{ rollcall.notes }}"
      ansible.builtin.debug: { msg: "{{ item }}" }
      loop: "{{ texts }}"
    - ansible.builtin.debug:
      when: item
      loop: "{{ texts }}"
    - ansible.builtin.debug:
      when: "{{ item }}"
      loop: "{{ texts }}"
    - ansible.builtin.debug:
      when: rollcall.notes
    - ansible.builtin.debug:
      when: "{{ rollcall.notes }}"
    - ansible.builtin.debug:
      when: "{{ note }}"
    - ansible.builtin.debug: { msg: "{{ item }}" }
      loop: "{{ rollcall.tags + rollcall.addresses + [rollcall.notes] }}"
    - ansible.builtin.assert: { that: ["{{ item }}"] }
      loop: "{{ texts }}"
    - ansible.builtin.assert: { that: item }
      loop: "{{ texts }}"
    - ansible.builtin.debug: { msg: "{{ copied }}" }
      vars: { copied: "{{ item }}" }
      loop: "{{ texts }}"
    - ansible.builtin.set_fact: { kept: "{{ rollcall.notes }}", all_kept: "{{ texts }}", whole: "{{ rollcall }}" }
    - ansible.builtin.debug: { msg: "{{ kept }} {{ all_kept }} {{ whole }} {{ whole.notes ~ '' }}" }
    - ansible.builtin.debug:
      when: "{{ kept }}"
    - ansible.builtin.set_fact: { parsed: "{{ ('[' ~ (item | to_json) ~ ']') | from_json }}" }
      loop: "{{ texts }}"
    - ansible.builtin.debug: { msg: "{{ parsed[0] }} {{ (rollcall | to_json | from_json).notes }}" }
    - ansible.builtin.debug:
      until: "{{ rollcall.notes }}"
      retries: 1
      delay: 0
    - ansible.builtin.debug:
      failed_when: "{{ rollcall.notes }}"
    - ansible.builtin.debug:
      changed_when: "{{ rollcall.notes }}"
    - ansible.builtin.debug: { msg: "{{ lookup('template', playbook_dir ~ '/shown.j2') }}" }
    - ansible.builtin.template: { src: shown.j2, dest: "{{ playbook_dir }}/shown.{{ rollcall.id }}" }
    - ansible.builtin.command: "echo {{ rollcall.notes | quote }}"
`;

describe.each(ansibleAges)('under the %s Ansible', (age) => {
  test('no text that was observed is ever run, whatever a playbook does with it', async () => {
    const markers = emptyFolder();
    const service = await hostileEstate(markers);
    const operators = { note: attacks.braces?.(join(markers, 'what-the-operator-wrote')) };
    await service.call('POST', '/ci', { ci_name: 'web-1', notes: 'harmless', ansible: { vars: operators } });
    const { folder, run } = controllerOf(service, age);
    writeFileSync(join(folder, 'site.yml'), playbook);
    writeFileSync(join(folder, 'shown.j2'), '{{ texts }} {{ rollcall }} {% for text in texts %}{{ text }}{% endfor %}');

    const [listed, played] = await Promise.all([
      run('ansible-inventory', '--list'),
      run('ansible-playbook', 'site.yml'),
    ]);

    expect(listed).toMatchObject({ code: 0, stderr: '' });
    const names = Object.keys(JSON.parse(listed.stdout)._meta.hostvars);
    expect(names).toHaveLength(Object.keys(attacks).length + 2);
    for (const name of names) expect(played.stdout).toMatch(new RegExp(`^${name} +: ok=`, 'm'));
    // The operator's own template shows that one would have been run.
    expect(readdirSync(markers)).toEqual(['what-the-operator-wrote']);
  });
});

test('a name that leads out of group_vars and host_vars reads no file there', async () => {
  const service = await startService();
  for (const body of [
    { ci_name: '../../evil' },
    { ci_name: '../../evil', managed_by: 'import', site_id: 'site-b' },
    { ci_name: 'x', tags: ['../../evil'], environment: '../../evil', technical_specs: { pool: '../../evil' } },
  ])
    expect((await service.call('POST', '/ci', body)).status).toBe(201);

  const { folder, run } = controllerOf(service, 'newest');
  for (const inner of ['project/host_vars', 'project/group_vars']) mkdirSync(join(folder, inner), { recursive: true });
  writeFileSync(join(folder, 'evil.yml'), 'read_from_outside: true\n');
  writeFileSync(
    join(folder, 'project/site.yml'),
    '[{ hosts: all, gather_facts: false, tasks: [{ debug: { var: read_from_outside } }] }]',
  );
  const played = await run('ansible-playbook', 'project/site.yml');

  const { _meta, ...groups } = await inventoryOf(service);
  expect([...Object.keys(_meta.hostvars), ...Object.keys(groups)].filter((name) => name.includes('..'))).toEqual([]);
  expect(played.code).toBe(0);
  expect(played.stdout).not.toContain('"read_from_outside": true');
});

test.each(Object.values(attacks).map((write) => write('/tmp/x')))('a site cannot be named %s', async (site_id) => {
  const { call } = await startService();

  const { status, body } = await call('POST', '/ci', { ci_name: 'web-1', site_id });

  expect(status).toBe(400);
  expect(body).toMatchObject({ errors: [{ pointer: '/site_id' }] });
});
