/** What falls, with a command: of an item as a tree, and of a Terraform plan for a terminal and a pull request. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { spanned } from '../../src/cli/markdown.ts';
import { readPlan } from '../../src/cli/plan-file.ts';
import { startService } from '../service.ts';
import { besideOptions, besides, run } from './run.ts';

const on = (relationship_type: string, ci_name: string, relationship_strength = 'critical') => ({
  relationship_type,
  ci_name,
  relationship_strength,
});

async function world() {
  const service = await startService();
  const { call, folder } = service;
  const guest = (ci_name: string, vmid: number, relationships: object[]) => ({
    ci_name,
    ci_type: 'virtual_machine',
    external_id: `home/qemu/${vmid}`,
    technical_specs: { vmid, node: 'pve1' },
    relationships,
  });
  const items = [
    { ci_name: 'pve1', ci_type: 'physical_server', external_id: 'node/pve1' },
    guest('db', 102, [on('runs_on', 'pve1')]),
    guest('web', 101, [on('runs_on', 'pve1'), on('depends_on', 'db')]),
    guest('wiki', 103, [on('depends_on', 'db', 'weak')]),
  ];
  await call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items });
  await call('POST', '/ci', {
    ci_name: 'shop',
    ci_type: 'application',
    relationships: [on('depends_on', 'web', 'strong')],
  });
  const plan = (changes: object[], more: object = {}, name = 'plan.json') => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify({ format_version: '1.2', resource_changes: changes, ...more }));
    return path;
  };
  return { ...service, plan, rollcall: besides(service) };
}

const change = (address: string, actions: string[], before: object | null, more: object = {}) => {
  const [type, name] = address.split('.');
  return { address, mode: 'managed', type, name, ...more, change: { actions, before, before_sensitive: {}, ...more } };
};
const telmate = (vmid: number, more: object = {}) => ({ id: `pve1/qemu/${vmid}`, vmid, target_node: 'pve1', ...more });

describe('of an item', () => {
  test('is a tree, with the reason for each line', async () => {
    const { rollcall } = await world();

    const { code, stdout, stderr } = await rollcall('impact', 'pve1', '--change-type', 'reboot');

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`pve1 (physical_server): reboot
├─ db (virtual_machine, active): runs_on pve1, critical
└─ web (virtual_machine, active): runs_on pve1, critical
   └─ shop (application, active): depends_on web, strong

Affected are 3 items: 2 critical, 1 strong.
`);
  });

  test('is narrowed by strength, is JSON as the service answers it, and may be nothing', async () => {
    const { rollcall, call } = await world();

    const [weak, json, nothing] = await Promise.all([
      rollcall('impact', 'db', '--min-strength', 'weak'),
      rollcall('impact', 'db', '--json'),
      rollcall('impact', 'shop'),
    ]);

    expect(weak.stdout).toContain('└─ wiki (virtual_machine, active): depends_on db, weak\n');
    expect(JSON.parse(json.stdout)).toEqual((await call('GET', '/ci/db/impact')).body);
    expect(nothing.stdout).toBe('shop (application)\nNothing is affected, as far as is known.\n');
  });

  test('names circles', async () => {
    const { rollcall } = await world();
    await rollcall('ci', 'link', 'db', 'depends_on', 'shop');

    const { stdout } = await rollcall('impact', 'web');

    expect(stdout).toContain('In a circle: web depends_on db depends_on shop depends_on web\n');
  });

  test('what is asked wrongly is refused in a sentence', async () => {
    const { rollcall } = await world();
    const asked: [string[], string][] = [
      [[], 'Name an item, or a plan with --plan.'],
      [['web', '--plan', 'x'], 'Name an item or a plan, and not both.'],
      [['--plan', 'x', '--change-type', 'reboot'], '--change-type is of an item; a plan says what it changes.'],
      [['--plan', 'no.json'], 'There is no file no.json.'],
      [['ghost'], 'No configuration item is named ghost.'],
    ];

    const ran = await Promise.all(asked.map(([words]) => rollcall('impact', ...words)));

    expect(ran).toEqual(asked.map(([, sentence]) => ({ code: 1, stdout: '', stderr: `${sentence}\n` })));
  });
});

describe('of a plan', () => {
  test('says what each deletion, replacement and update takes down, and what it knows nothing of', async () => {
    const { rollcall, plan } = await world();
    const path = plan([
      change('random_password.x', ['delete'], { id: 'none', result: 'hunter2' }),
      change('proxmox_vm_qemu.wiki', ['update'], telmate(103)),
      change('proxmox_vm_qemu.web', ['create', 'delete'], telmate(101)),
      change('proxmox_vm_qemu.db', ['delete'], telmate(102)),
      change('proxmox_vm_qemu.same', ['no-op'], telmate(101)),
      change('proxmox_vm_qemu.kept', ['forget'], telmate(101)),
      change('proxmox_vm_qemu.new', ['create'], null),
      change('proxmox_vm_qemu.db', ['delete'], telmate(102), { deposed: '0badcafe' }),
      change('data.proxmox_vm_qemu.db', ['delete'], telmate(102), { mode: 'data' }),
    ]);

    const { code, stdout, stderr } = await rollcall('impact', '--plan', path);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`delete proxmox_vm_qemu.db: db (virtual_machine, active)
└─ web (virtual_machine, active): depends_on db, critical (replaced by this plan itself)
   └─ shop (application, active): depends_on web, strong

replace proxmox_vm_qemu.web: web (virtual_machine, active)
└─ shop (application, active): depends_on web, strong

update proxmox_vm_qemu.wiki: wiki (virtual_machine, active)
   affects nothing

Affected are 1 item: 1 strong.
No item is known for: random_password.x
Left aside: 1 left over from former replacements, in whose place something else is already.
`);
  });

  test('ends with 2 past --fail-on', async () => {
    const { rollcall, plan } = await world();
    const cases: [failOn: string, action: string, code: number, why: string][] = [
      ['critical', 'delete', 2, 'it affects 1 item: 1 critical'],
      ['weak', 'delete', 2, 'it affects 3 items: 1 critical, 1 strong, 1 weak'],
      ['critical', 'update', 0, ''],
      ['strong', 'update', 2, 'it affects 2 items: 2 strong'],
    ];

    const ran = await Promise.all(
      cases.map(async ([failOn, action], at) => {
        const path = plan([change('proxmox_vm_qemu.db', [action], telmate(102))], {}, `plan-${at}.json`);
        return await rollcall('impact', '--plan', path, '--fail-on', failOn);
      }),
    );

    expect(ran.map(({ code, stderr }) => [code, stderr])).toEqual(
      cases.map(([failOn, , code, why]) => [code, why && `The plan does not pass --fail-on ${failOn}: ${why}.\n`]),
    );
  });

  test('does not pass where nobody can tell', async () => {
    const { call, rollcall, plan } = await world();
    for (const parent of ['a', 'b'])
      await call('POST', '/ci', { ci_name: 'nginx', ci_type: 'container', technical_specs: { parent } });
    const twin = change('docker_container.nginx', ['delete'], { id: 'c0ffee', name: 'nginx' });

    const path = plan([twin]);
    const half = plan([], { errored: true }, 'half.json');

    const [ambiguous, broken, looked] = await Promise.all([
      rollcall('impact', '--plan', path, '--fail-on', 'critical'),
      rollcall('impact', '--plan', half, '--fail-on', 'critical'),
      rollcall('impact', '--plan', path),
    ]);

    expect(ambiguous.code).toBe(2);
    expect(ambiguous.stdout).toContain('docker_container.nginx could be nginx in site-home (');
    expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining('the plan is not whole') as string]);
    expect(looked.code).toBe(0);
  });

  test('comes from standard input too, and as JSON and Markdown', async () => {
    const { folder, plan } = await world();
    const changes = [change('proxmox_vm_qemu.db[0]', ['delete'], telmate(102))];
    const stdin = JSON.stringify({ format_version: '1.2', resource_changes: changes });
    const piped = { ...besideOptions(folder), stdin };

    const [json, markdown] = await Promise.all([
      run(['impact', '--plan', '-', '--json'], piped),
      run(['impact', '--plan', plan(changes), '--markdown', '--fail-on', 'critical'], piped),
    ]);

    expect(JSON.parse(json.stdout)).toMatchObject({
      changes: [{ action: 'delete', ci: { ci_name: 'db' }, impact: { change_type: 'destroy' } }],
      affected: [
        { ci_name: 'web', strength: 'critical', because: { address: 'proxmox_vm_qemu.db[0]' } },
        { ci_name: 'shop', strength: 'strong' },
      ],
    });
    expect(markdown.code).toBe(2);
    expect(markdown.stdout).toBe(`<!-- rollcall impact -->
### What this plan takes down

**Affected are 2 items: 1 critical, 1 strong.**

It does not pass: it affects 1 item: 1 critical.

| affected | strength | because | of |
| --- | --- | --- | --- |
| \`web\` (\`virtual_machine, active\`) | critical | \`web\` \`depends_on\` \`db\` | delete \`proxmox_vm_qemu.db[0]\` |
| \`shop\` (\`application, active\`) | strong | \`shop\` \`depends_on\` \`web\` \`depends_on\` \`db\` | delete \`proxmox_vm_qemu.db[0]\` |

Looked at: delete \`proxmox_vm_qemu.db[0]\` (\`db\`)
`);
  });

  test('names do nothing in a comment', async () => {
    const { call, rollcall, plan } = await world();
    const name = '@all | x` <img src=x>\n# **#1** [a](http://b) \\';
    await call('POST', '/ci', { ci_name: name, ci_type: 'application', relationships: [on('depends_on', 'db')] });
    const address = 'proxmox_vm_qemu.db["@you|`"]';

    const { stdout } = await rollcall(
      'impact',
      '--plan',
      plan([change(address, ['delete'], telmate(102))]),
      '--markdown',
    );

    const rows = stdout.split('\n').filter((line) => line.startsWith('|'));
    expect(rows.length).toBe(5);
    for (const row of rows) expect(row.split('|').length, row).toBe(6);
    const outside = stdout.replaceAll(/`[^`\n]*`/g, '');
    expect(outside).not.toMatch(/[@`[\]\\]|<img|#1/);
  });

  test('what it calls sensitive is neither printed nor sent, nor is anything of a file that cannot be read', async () => {
    const { rollcall, plan, folder } = await world();
    const secret = 'hunter2-0123456789';
    const before = telmate(999, {
      name: secret,
      network: [{ macaddr: secret }],
      cipassword: secret,
      smbios: [{ uuid: secret }],
    });
    const before_sensitive = { name: true, network: [{ macaddr: true }], smbios: true };
    const changes = [change('proxmox_vm_qemu.db', ['delete'], before, { before_sensitive })];
    const path = plan(changes);

    const torn = join(folder, 'torn.json');
    writeFileSync(torn, `{"resource_changes": [{"password": "${secret}" oops`);

    const [printed, broken] = await Promise.all([path, torn].map((one) => rollcall('impact', '--plan', one)));
    const { changes: read } = readPlan(JSON.stringify({ format_version: '1.2', resource_changes: changes }), 'x');
    const all = readPlan(
      JSON.stringify({
        format_version: '1.2',
        resource_changes: [change('proxmox_vm_qemu.db', ['delete'], before, { before_sensitive: true })],
      }),
      'x',
    );

    expect(JSON.stringify([printed, read, all, broken])).not.toContain(secret);
    expect(all.changes[0]?.thing).toEqual({
      ci_type: 'virtual_machine',
      terraform_addresses: ['proxmox_vm_qemu.db'],
      technical_specs: {},
    });
    expect(broken?.stderr).toContain('is no JSON. Make one with: terraform plan -out plan.bin');
  });
});

describe('a plan file', () => {
  const planOf = (changes: object[]) => JSON.stringify({ format_version: '1.2', resource_changes: changes });

  test.each([
    [
      'proxmox_virtual_environment_vm.a',
      {
        id: '500',
        vm_id: 500,
        node_name: 'pve1',
        name: 'a',
        smbios: [{ uuid: 'u' }],
        network_device: [{ mac_address: 'M' }],
      },
      {
        ci_type: 'virtual_machine',
        ci_name: 'a',
        technical_specs: { vmid: 500, node: 'pve1', uuid: 'u', macs: ['M'] },
      },
    ],
    [
      'proxmox_virtual_environment_container.a',
      { id: '101', vm_id: 101, node_name: 'pve1', initialization: [{ hostname: 'a' }] },
      { ci_type: 'lxc_container', ci_name: 'a', technical_specs: { vmid: 101, node: 'pve1' } },
    ],
    [
      'proxmox_vm_qemu.a',
      {
        id: 'pve1/qemu/102',
        vmid: 102,
        current_node: 'pve2',
        target_node: 'pve1',
        name: 'a',
        network: [{ macaddr: 'M' }],
      },
      {
        ci_type: 'virtual_machine',
        ci_name: 'a',
        terraform_resource_id: 'pve1/qemu/102',
        technical_specs: { vmid: 102, node: 'pve2', macs: ['M'] },
      },
    ],
    [
      'libvirt_domain.a',
      { id: 'u', name: 'a' },
      { ci_type: 'virtual_machine', ci_name: 'a', terraform_resource_id: 'u', technical_specs: { uuid: 'u' } },
    ],
    [
      'aws_instance.a',
      { id: 'i-1', tags: { Name: 'a' } },
      { ci_type: 'virtual_machine', ci_name: 'a', terraform_resource_id: 'i-1', technical_specs: {} },
    ],
    [
      'docker_container.a',
      { id: 'c', name: 'a' },
      { ci_type: 'container', ci_name: 'a', terraform_resource_id: 'c', technical_specs: {} },
    ],
    ['somebody_elses.a', { id: 'z', name: 'a', password: 'x' }, { terraform_resource_id: 'z', technical_specs: {} }],
    ['toString.a', null, { technical_specs: {} }],
  ])('tells of %s what identifies it, and nothing else', (address, before, thing) => {
    const { changes } = readPlan(planOf([change(address, ['delete'], before, { previous_address: 'former.a' })]), 'x');

    expect(changes).toEqual([
      { action: 'delete', address, thing: { terraform_addresses: [address, 'former.a'], ...thing } },
    ]);
  });

  test.each([
    ['PK\u0003\u0004', 'x is a plan as Terraform stores it. Make'],
    ['', 'x is empty. Make'],
    ['[]', 'x is no plan. Make'],
    ['{"format_version": "1.0", "values": {}}', 'x is a state, and no plan. Make'],
    ['{"version": 4, "resources": []}', 'x is a state, and no plan. Make'],
    ['{"format_version": "1.0"}', 'x is no plan. Make'],
    ['{"format_version": "2.0", "resource_changes": []}', 'x is of a format that is not known here; known is 1.'],
  ])('%j is refused', (text, sentence) => {
    expect(() => readPlan(text, 'x')).toThrow(sentence);
  });

  test('that changes nothing has no list of changes', () => {
    expect(readPlan('{"format_version": "1.2", "planned_values": {}}', 'x').changes).toEqual([]);
  });
});

test.each([
  ['web-1', '`web-1`'],
  ['a|b`c\\', '`a¦bˋc⧵`'],
  ['a\nb\u001b[31m', '`a b\uFFFD[31m`'],
  [' ', '`-`'],
  ['x'.repeat(100), `\`${'x'.repeat(59)}…\``],
])('%j is shown as it is, and does nothing', (text, shown) => {
  expect(spanned(text)).toBe(shown);
});
