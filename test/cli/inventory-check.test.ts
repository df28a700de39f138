/** What an Ansible project names, and whether it is there. */

import { describe, expect, test } from 'vitest';
import { namesOfText } from '../../src/cli/project-names.ts';
import { startService } from '../service.ts';
import { writeFiles } from './import-world.ts';
import { besides } from './run.ts';

const project = {
  'group_vars/webservers.yml': 'a: 1\n',
  'group_vars/webserver.yml': 'a: 1\n',
  'group_vars/all/main.yml': 'a: 1\n',
  'group_vars/all.sops.yaml': 'a: 1\n',
  'group_vars/README.md': '',
  'group_vars/ungrouped.yml': 'a: 1\n',
  'host_vars/web-1.yml': 'a: 1\n',
  'host_vars/web-9/main.yml': 'a: 1\n',
  'site.yml': [
    '---',
    '# hosts: commented',
    '- name: Web',
    '  hosts: webservers:!webserves:&type_machine',
    '  tasks:',
    '    - debug:',
    '        msg: "{{ groups[\'databases\'] | first }} {{ groups.webservers }}"',
    '- hosts:',
    '    - web-1',
    '    - wbe-1',
    '    - "{{ target }}"',
    '- hosts: [db-*, stopped-1]',
    '- hosts: made_at_run,os_Debian,last_run_failed,localhost',
  ].join('\n'),
  'roles/x/tasks/main.yml': [
    '- ansible.builtin.add_host:',
    '    name: x',
    '    groups: [made_at_run]',
    '- group_by: {key: "os_{{ ansible_distribution }}"}',
    "- debug: {msg: x}\n  when: inventory_hostname in groups['nix']",
  ].join('\n'),
  'roles/x/templates/hosts.j2': "{% for host in groups['webserves'] %}\n# see groups.example.org\n{% endfor %}\n",
  'node_modules/x/site.yml': '- hosts: nobody\n',
};

test('what matches nothing served is told with its file, its line and the nearest name', async () => {
  const service = await startService();
  const host = { ci_type: 'virtual_machine', ci_status: 'stopped', managed_by: 'proxmox-api', external_id: 'x' };
  await service.call('POST', '/ci', { ci_name: 'web-1', ansible: { groups: ['webservers'] } });
  await service.call('POST', '/ci', { ...host, ci_name: 'stopped-1' });
  writeFiles(
    service.folder,
    Object.fromEntries(Object.entries(project).map(([name, text]) => [`infra/${name}`, text])),
  );
  const rollcall = besides(service);

  const { code, stdout } = await rollcall('inventory', 'check', 'infra');
  const json = await rollcall('inventory', 'check', 'infra', '--json');

  expect({ code, lines: stdout.split('\n') }).toEqual({
    code: 1,
    lines: [
      'infra/group_vars/ungrouped.yml:1: no host is in ungrouped, since each is in groups that Rollcall makes',
      'infra/group_vars/webserver.yml:1: variables of the group webserver, and there is no such group; did you mean webservers?',
      'infra/host_vars/web-9:1: variables of the host web-9, and there is no such host; did you mean web-1?',
      'infra/roles/x/tasks/main.yml:6: asks for the group nix, and there is none',
      'infra/roles/x/templates/hosts.j2:1: asks for the group webserves, and there is none; did you mean webservers?',
      'infra/site.yml:4: the pattern webserves finds no host and no group; did you mean webservers?',
      'infra/site.yml:7: asks for the group databases, and there is none',
      'infra/site.yml:10: the pattern wbe-1 finds no host and no group; did you mean web-1?',
      'infra/site.yml:12: the pattern db-* finds no host and no group',
      expect.stringMatching(/^9 of \d+ names match nothing that is served\.$/),
      '',
    ],
  });
  expect(JSON.parse(json.stdout)).toMatchObject({
    findings: expect.arrayContaining([
      { file: 'infra/site.yml', line: 10, kind: 'pattern', word: 'wbe-1', nearest: 'web-1' },
    ]),
  });
});

test('a project of which all is found is right, and a folder that is none is told', async () => {
  const service = await startService();
  await service.call('POST', '/ci', { ci_name: 'web-1', ansible: { groups: ['webservers'] } });
  writeFiles(service.folder, { 'infra/site.yml': '- hosts: webservers\n' });
  const rollcall = besides(service);

  const right = await rollcall('inventory', 'check', 'infra');
  const none = await rollcall('inventory', 'check', 'ghost');

  expect(right).toEqual({ code: 0, stdout: 'All is found: 1 name in infra matches what is served.\n', stderr: '' });
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no folder ghost.') });
});

describe('of a text are read', () => {
  test.each([
    ['a pattern', '- hosts: web:db\n', ['web', 'db']],
    ['one in quotes', '- "hosts": "web*"\n', ['web*']],
    ['one below the name of its play', '- name: x\n  hosts: web\n', ['web']],
    ['one whose entry begins further in', '-   name: x\n    hosts: web\n', ['web']],
    ['one over lines', '- hosts: >-\n    web:db\n  roles: []\n', ['web', 'db']],
    ['several in lines', '- hosts:\n    - web\n    - db\n  roles:\n    - common\n', ['web', 'db']],
    ['several in brackets', "- hosts: [web, 'db']\n", ['web', 'db']],
    ['none of a template', '- hosts: "{{ x }}"\n', []],
    ['none of a variable deep inside', '- name: x\n  vars:\n    hosts: web\n', []],
    ['none of an inventory', 'all:\n  hosts:\n    web-1:\n', []],
    ['a group', 'x: "{{ groups[\'web\'] }}"\n', ['web']],
    ['a group behind a dot', 'x: "{{ groups.web }}"\n', ['web']],
    ['a group with another in its place', 'x: "{{ groups.get(\'web\', []) }}"\n', ['web']],
    ['none of a method', 'x: "{{ groups.keys() }}"\n', []],
    ['none that a template makes up', 'x: "{{ groups[\'web_\' + site] }}"\n', []],
    ['none of an address', 'x: https://groups.example.org/\n', []],
    ['none of something else with groups', 'x: "{{ user.groups.web }}"\n', []],
  ])('%s', (_, text, words) => {
    expect(namesOfText(text, 'site.yml').named.map(({ word }) => word)).toEqual(words);
  });

  test('groups that are made while a play runs', () => {
    const text =
      '- add_host: name=x groups=a,b\n- ansible.builtin.add_host:\n    groups:\n      - c\n- group_by:\n    key: os_{{ x }}_{{ y }}\n';

    expect(namesOfText(text, 'main.yml').made).toEqual(expect.arrayContaining(['a', 'b', 'c', 'os_*_*']));
  });
});
