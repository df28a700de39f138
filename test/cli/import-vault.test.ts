/** Moving in with Ansible Vault: what is encrypted stays so, whatever password lies about. */

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLog } from '../../src/log.ts';
import { emptyFolder, runAnsible } from '../ansible/run-ansible.ts';
import { type AnsibleAge, ansibleAges } from '../tools/tools.ts';
import { everythingWritten, type ImportWorld, importWorld } from './import-world.ts';

const password = { ANSIBLE_VAULT_PASSWORD_FILE: 'vault.pass', ANSIBLE_VAULT_IDENTITY_LIST: 'lab@vault.pass' };

test.each(ansibleAges)(
  'with the %s Ansible nothing that was encrypted arrives in the clear, with a vault password about or without',
  async (age) => {
    const log: string[] = [];
    const world = await importWorld(age, { log: openLog('debug', 'json', (line) => void log.push(line)) });
    world.write({ 'vault.pass': 'the password\n', 'whole.txt': 'whole_secret: zanzibar-whole\n' });
    const [whole, inline] = await Promise.all([
      vault(world, age, 'encrypt', '--output', '-', join(world.service.folder, 'whole.txt')),
      vault(world, age, 'encrypt_string', '--name', 'inline_secret', 'zanzibar-inline'),
    ]);
    world.write({
      'ansible.cfg': '[defaults]\nvault_password_file = vault.pass\nvault_identity_list = lab@vault.pass\n',
      'inv/hosts.ini': '[web]\nweb-1 ansible_password=zanzibar-plain\n',
      'inv/group_vars/web/vault.yml': whole,
      'inv/group_vars/web/vars.yml': `${inline}\nused: "{{ whole_secret }} {{ inline_secret }}"\n`,
      'inv/host_vars/web-1.yml': whole,
    });

    const first = await world.take(['inv/hosts.ini'], password);
    world.write({ 'ansible.cfg': '' });
    const second = await world.take(['inv/hosts.ini']);

    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(second).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('Hosts: 1 unchanged. Groups: nothing'),
    });
    expect(first.stdout).toContain(
      [
        'Encrypted as a whole, and not read. Put each beside your playbooks, where Ansible goes on reading it:',
        '  inv/group_vars/web/vault.yml  →  group_vars/web/vault.yml',
        '  inv/host_vars/web-1.yml  →  host_vars/web-1.yml',
        '',
      ].join('\n'),
    );
    expect((await world.after()).hosts['web-1']).toEqual({
      inline_secret: { __ansible_vault: expect.stringMatching(/^\$ANSIBLE_VAULT;1\.\d;AES256/) },
      used: '{{ whole_secret }} {{ inline_secret }}',
    });
    const answers = await Promise.all(
      ['/inventory', '/changes', '/groups', '/ci/web-1', '/ci/web-1/claims'].map(
        async (path) => (await world.service.call('GET', path)).body,
      ),
    );
    expect(log.length).toBeGreaterThan(0);
    expect(everythingWritten(world)).toContain('inline_secret');
    for (const place of [first.stdout, second.stdout, everythingWritten(world), log.join(''), JSON.stringify(answers)])
      expect(place).not.toContain('zanzibar');
    // A value that works goes on working.
    if (age === 'newest') expect(await decrypted(world, age)).toContain('zanzibar-inline');
  },
);

/** What a play sees of the value in Rollcall's inventory, with the password that it was made with. */
async function decrypted(world: ImportWorld, age: AnsibleAge): Promise<string> {
  const { service } = world;
  world.write({
    'served.txt': JSON.stringify((await service.call('GET', '/inventory')).body),
    served: '#!/bin/sh\ncat "$(dirname "$0")/served.txt"\n',
  });
  const words = [
    '-i',
    'served',
    '--vault-password-file',
    'vault.pass',
    'web-1',
    '-m',
    'debug',
    '-a',
    'var=inline_secret',
  ];
  const { stdout } = await runAnsible(age, 'ansible', words, { cwd: service.folder });
  return stdout;
}

async function vault({ service }: ImportWorld, age: AnsibleAge, action: string, ...words: string[]): Promise<string> {
  const all = [action, '--vault-password-file', join(service.folder, 'vault.pass'), ...words];
  const { stdout } = await runAnsible(age, 'ansible-vault', all, { cwd: emptyFolder() });
  expect(stdout).toContain('$ANSIBLE_VAULT;');
  return stdout;
}
