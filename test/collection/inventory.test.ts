/** The inventory plugin under the real Ansible: as the script in what it gives, and never empty in place of an error. */

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ansibleAges, emptyFolder, inventoryScript, unwrapped } from '../ansible/run-ansible.ts';
import { attacks, hostileEstate } from '../e2e/hostile-estate.ts';
import { startService } from '../service.ts';
import { controllerOf } from './controller.ts';

type Hostvars = Record<string, Record<string, unknown>>;
interface Listed {
  _meta: { hostvars: Hostvars };
  [group: string]: unknown;
}

const listed = ({ stdout }: { stdout: string }) => JSON.parse(stdout) as Listed;

/** Everything that reads a value as an expression, of the few texts that matter. */
const playbook = `
- hosts: all
  gather_facts: false
  connection: local
  ignore_errors: true
  vars:
    texts: "{{ [rollcall.notes, rollcall.tags[0], note | default(''), composed, inventory_hostname, group_names | join(' ')]
      + (rollcall.deep | dict2items | map(attribute='key'))
      + [lookup('rollcall.cmdb.ci', rollcall.id).notes, lookup('rollcall.cmdb.ci', rollcall.id).technical_specs.pool] }}"
  tasks:
    - ansible.builtin.debug: { msg: "{{ texts }} {{ rollcall }}" }
    - ansible.builtin.debug:
      when: "{{ item }}"
      loop: "{{ texts | map('default', '', true) }}"
    - ansible.builtin.debug: { msg: "{{ item }}" }
      with_rollcall.cmdb.ci: "{{ rollcall.id }}"
`;

describe.each(ansibleAges)('under the %s Ansible', (age) => {
  test('gives what the script gives, marks and vault values too, and none of it is ever run', async () => {
    const markers = emptyFolder();
    const service = await hostileEstate(markers);
    const vault = '$ANSIBLE_VAULT;1.1;AES256\n6162\n';
    const vars = {
      note: attacks.braces?.(join(markers, 'what-the-operator-wrote')),
      password: { __ansible_vault: vault },
    };
    await service.call('POST', '/ci', { ci_name: 'web-1', notes: 'harmless', ansible: { vars } });
    const { folder, run, inventory } = controllerOf(service, age);
    const plain = inventory({}, 'plain.rollcall.yml');
    const composing = inventory({
      compose: { composed: "rollcall.notes | default('')" },
      groups: { noted: 'rollcall.notes is defined' },
      keyed_groups: [{ key: 'rollcall.pool', prefix: 'pool' }],
    });
    writeFileSync(join(folder, 'site.yml'), playbook);

    const [byPlugin, byScript, played] = await Promise.all([
      run('ansible-inventory', '-i', plain, '--list'),
      run('ansible-inventory', '-i', inventoryScript, '--list'),
      run('ansible-playbook', '-i', composing, 'site.yml'),
    ]);

    expect(byPlugin).toMatchObject({ code: 0, stderr: '' });
    expect(listed(byPlugin)).toEqual(listed(byScript));
    const { hostvars } = listed(byPlugin)._meta;
    expect(Object.keys(hostvars)).toHaveLength(Object.keys(attacks).length + 2);
    expect(hostvars['web-1']?.password).toEqual({ __ansible_vault: vault });
    for (const name of Object.keys(hostvars)) expect(played.stdout).toMatch(new RegExp(`^${name} +: ok=`, 'm'));
    // The operator's own template shows that one would have been run.
    expect(readdirSync(markers)).toEqual(['what-the-operator-wrote']);
  });

  test('adds what the operator composes, and keeps the answer until the file asks for something else', async () => {
    const service = await startService();
    const technical_specs = { node: 'pve1', cpu_cores: 2 };
    await service.call('POST', '/ci', { ci_name: 'web-1', site_id: 'site-b', technical_specs, tags: ['{{ 1 + 1 }}'] });
    await service.call('POST', '/ci', { ci_name: 'web-2', site_id: 'site-b', ci_status: 'maintenance' });
    await service.call('POST', '/ci', { ci_name: 'web-3' });
    const { folder, run, inventory } = controllerOf(service, age, { token: 'wrong', env: { ROLLCALL_SITE: 'site-a' } });
    const settings = {
      token_file: join(service.folder, 'data/ansible.token'),
      site: 'site-b',
      include: ['held'],
      strict: true,
      compose: { place: "rollcall.node | default('nowhere', true) ~ '!'" },
      groups: { measured: 'rollcall.node is not none' },
      keyed_groups: [{ key: 'rollcall.tags', prefix: 'wears' }],
      cache: true,
      cache_plugin: 'ansible.builtin.jsonfile',
      cache_connection: join(folder, 'kept'),
    };
    mkdirSync(join(folder, 'kept'));
    const path = inventory(settings);
    const list = () => run('ansible-inventory', '-i', path, '--list');

    const first = await list();
    await service.app.close();
    const second = await list();
    inventory({ ...settings, include: [] });
    const third = await list();

    const { _meta, ...groups } = listed(first);
    expect(_meta.hostvars).toMatchObject({
      'web-1': { place: { __ansible_unsafe: 'pve1!' }, rollcall: { tags: [{ __ansible_unsafe: '{{ 1 + 1 }}' }] } },
      'web-2': { place: { __ansible_unsafe: 'nowhere!' } },
    });
    expect(groups).toMatchObject({
      measured: { hosts: ['web-1'] },
      wears____1___1___: { hosts: ['web-1'] },
      site_site_b: { hosts: ['web-1', 'web-2'] },
    });
    expect(listed(second)).toEqual(listed(first));
    expect(third).toMatchObject({ code: 1, stdout: '' });
    expect(unwrapped(third.stderr)).toMatch(
      /^(ERROR!|\[ERROR\]:) \S+rollcall.yml: Rollcall at \S+ cannot be reached \(connection refused\)$/,
    );
  });
});

test.each<[trouble: string, settings: object, says: string]>([
  [
    'a token that is not known',
    { token: 'no-such-token' },
    'refuses the token from the setting token (401: This token is not known here)',
  ],
  ['a slip in a setting', { stie: 'site-home' }, 'there is no setting stie; did you mean site?'],
  ['a word that a setting does not know', { include: ['retired'] }, 'include'],
  [
    'an expression that fails, where that is strict',
    { strict: true, compose: { x: 'nothing.at.all' } },
    'Could not set x for host',
  ],
])('%s ends every command with one sentence, whatever other inventory there is', async (_, settings, says) => {
  const service = await startService();
  const { run, inventory } = controllerOf(service, 'newest');

  const outcome = await run('ansible', '-i', inventory(settings), '-i', 'other,', 'all', '-m', 'ping');

  expect(outcome).toMatchObject({ code: 1, stdout: '' });
  expect(unwrapped(outcome.stderr)).toMatch(/^\[ERROR\]: \S+rollcall.yml: /);
  expect(unwrapped(outcome.stderr)).toContain(says);
});

test('a file of another plugin is left to it', async () => {
  const { folder, run } = controllerOf({ url: 'http://127.0.0.1:1', ansibleToken: 'x' }, 'newest', {
    env: { ANSIBLE_INVENTORY_ENABLED: 'rollcall.cmdb.rollcall,yaml' },
  });
  const path = join(folder, 'not-rollcall.yml');
  writeFileSync(path, 'all: { hosts: { web-1: } }');

  const { code, stdout } = await run('ansible', '-i', path, 'all', '--list-hosts');

  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('web-1') as string });
});
