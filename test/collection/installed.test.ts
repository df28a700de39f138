/** The collection as `ansible-galaxy` packs and installs it: all of it by its full names, far from any checkout. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ansibleAges, emptyFolder } from '../ansible/run-ansible.ts';
import { startService } from '../service.ts';
import { checkout, controllerOf } from './controller.ts';

type Documented = Record<string, { doc: { short_description: string; options: object }; examples: string }>;

const plugins = {
  inventory: ['rollcall'],
  lookup: ['ci'],
  callback: ['rollcall'],
  module: ['ci', 'compose', 'credential', 'hold', 'relationship'],
} as const;

/** The files that its README shows, written as that names them; answers their names. */
function documentedFiles(folder: string): [string, string] {
  const readme = readFileSync(join(checkout, 'README.md'), 'utf8');
  const files = [...readme.matchAll(/```yaml\n# (\S+\.yml), for: .*\n[\s\S]*?```/g)];
  for (const [block, name] of files)
    writeFileSync(join(folder, name as string), block.slice('```yaml\n'.length, -'```'.length));
  expect(files.map(([, name]) => name)).toEqual(['home.rollcall.yml', 'announce.yml']);
  return ['home.rollcall.yml', 'announce.yml'];
}

describe.each(ansibleAges)('under the %s Ansible', (age) => {
  test('it packs, installs and works', async () => {
    const service = await startService();
    await service.call('POST', '/ci', { ci_name: 'web-1' });
    const collections = emptyFolder();
    const { folder, run } = controllerOf(service, age, {
      collections,
      token: service.adminToken,
      env: { ANSIBLE_CALLBACKS_ENABLED: 'rollcall.cmdb.rollcall' },
    });

    const built = await run('ansible-galaxy', 'collection', 'build', checkout, '--output-path', collections);
    const packed = join(collections, 'rollcall-cmdb-0.1.0.tar.gz');
    const installed = await run('ansible-galaxy', 'collection', 'install', '--offline', packed, '-p', collections);
    const [inventory, playbook] = documentedFiles(folder);
    const played = await run('ansible-playbook', '-i', inventory, playbook);

    expect([built.code, installed.code, played.code], played.stdout + played.stderr).toEqual([0, 0, 0]);
    const inside = readdirSync(join(collections, 'ansible_collections/rollcall/cmdb'));
    expect(inside).not.toContain('ansible_collections');
    expect(inside).not.toContain('ansible.cfg');
    expect(played.stdout).toContain("web-1 is alice's and maintenance");
    expect((await service.call('GET', '/ci/web-1')).body).toMatchObject({ owner: 'alice', hold: null });
    expect((await service.call('GET', '/ci/web-1/relationships')).body).toMatchObject({ items: [{ ci_name: 'db-1' }] });
    expect((await service.call('GET', '/runs')).body).toMatchObject({
      count: 1,
      items: [{ playbook: 'announce.yml' }],
    });
  });
});

test('every part of it is documented, as ansible-doc reads it', async () => {
  const { run } = controllerOf({ url: '', ansibleToken: '' }, 'newest');

  const documented = await Promise.all(
    Object.entries(plugins).map(async ([type, names]) => {
      const full = names.map((name) => `rollcall.cmdb.${name}`);
      const { code, stdout, stderr } = await run('ansible-doc', '--json', '-t', type, ...full);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return [type, JSON.parse(stdout) as Documented] as const;
    }),
  );

  for (const [type, docs] of documented) {
    expect(Object.keys(docs)).toEqual(plugins[type as keyof typeof plugins].map((name) => `rollcall.cmdb.${name}`));
    for (const { doc, examples } of Object.values(docs)) {
      expect(doc.short_description).toMatch(/^\w.+[^.]$/);
      expect(Object.keys(doc.options)).toEqual(
        expect.arrayContaining(['url', 'token', 'token_file', 'token_command', 'ca']),
      );
      expect(examples).toContain('rollcall');
    }
  }
});
