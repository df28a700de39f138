/** What people decide of who is whom, from the command line. */

import { describe, expect, test } from 'vitest';
import { claimsNamed } from '../../src/cli/split.ts';
import { startService } from '../service.ts';
import { besides } from './run.ts';

const guest = (ci_name: string, vmid: number, technical_specs: object = {}) => ({
  ci_type: 'virtual_machine',
  ci_name,
  ci_status: 'running',
  external_id: String(vmid),
  technical_specs: { vmid, node: 'pve1', macs: [`52:54:00:00:00:${vmid}`], ...technical_specs },
});

async function world() {
  const service = await startService();
  const { call, pass } = service;
  const read = async (source: string, ...items: object[]) => {
    await call('POST', '/passes', { source, complete: true, items });
    pass({ minutes: 1 });
  };
  await read('proxmox-api:home', guest('web-1', 11), guest('db-1', 12));
  await read('import:hosts.yml', { ci_type: 'machine', ci_name: 'www', external_id: 'www' });
  const idOf = async (name: string) => ((await call('GET', `/ci/${name}`)).body as { ci_id: string }).ci_id;
  return { ...service, read, idOf, rollcall: besides(service) };
}

test('two items are merged, listed claim by claim, and split again', async () => {
  const { call, idOf, rollcall } = await world();
  const [web, www] = [await idOf('web-1'), await idOf('www')];

  const merged = await rollcall('merge', 'web-1', 'www', '--reason', 'one machine');
  const again = await rollcall('merge', 'web-1', www);
  const history = await rollcall('history', 'web-1');
  const listed = await rollcall('split', 'web-1');
  const split = await rollcall('split', 'web-1', '2', '--reason', 'no, two');

  expect(merged).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      `Merged www (machine in site-home, ${www}) into web-1, which answers for it from now on.`,
      '"rollcall split web-1" parts them again.\n',
    ].join('\n'),
  });
  expect(again).toEqual({ code: 0, stderr: '', stdout: `${www} is web-1 already.\n` });
  expect(history.stdout).toContain(`merged of www, ${www}, by manual:admin: one machine\n`);
  expect(history.stdout).toContain('updated by manual:admin: one machine\n');
  expect(listed.stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  '))).toEqual([
    expect.stringMatching(/^ *SOURCE {2}KEY {2}CALLS IT {2}LAST HEARD {2}CLAIM$/),
    expect.stringMatching(/^1 {2}proxmox-api:home {2}11 {2}web-1 {2}.* {2}[0-9a-f-]{36}$/),
    expect.stringMatching(/^2 {2}import:hosts.yml {2}www {2}www {2}.* {2}[0-9a-f-]{36}$/),
    '',
    'Those that are of another machine: rollcall split web-1 NUMBER… --reason "why"',
    '',
  ]);
  expect(split).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      `Split 1 claim from web-1: now of www (machine in site-home, ${www}).`,
      `"rollcall merge ${web} ${www}" makes them one again.\n`,
    ].join('\n'),
  });
  expect((await call('GET', '/ci/www')).body).toMatchObject({ ci_id: www });
});

test('where several bear a name, the ids are shown, and a site or an id tells which', async () => {
  const { idOf, read, rollcall } = await world();
  const www = await idOf('www');
  await read('import:ranch.yml', { ci_type: 'machine', ci_name: 'www', external_id: 'www', site_id: 'site-ranch' });

  const unclear = await rollcall('merge', 'web-1', 'www');
  const clear = await rollcall('merge', 'web-1', 'www', '--site', 'site-home');

  expect(unclear).toMatchObject({ code: 1, stdout: '' });
  expect(unclear.stderr).toContain('2 configuration items are named www');
  expect(unclear.stderr).toContain(`  ${www}  www (machine in site-home)\n`);
  expect(clear).toMatchObject({ code: 0 });
  expect(await idOf(www)).toBe(await idOf('web-1'));
});

test('what cannot be merged, split or adopted is told in the words of the command', async () => {
  const { rollcall } = await world();
  const refused = (stderr: string) => ({ code: 1, stdout: '', stderr });

  expect(await rollcall('merge', 'web-1', 'web-1')).toEqual(
    refused('Nothing was changed.\nweb-1 is the item itself\n'),
  );
  expect(await rollcall('merge', 'web-1', 'ghost')).toEqual(refused('No configuration item is named ghost.\n'));
  expect(await rollcall('split', 'web-1', '7')).toEqual(
    refused('web-1 has no claim 7. "rollcall split web-1" lists its claims, by number.\n'),
  );
  expect(await rollcall('split', 'web-1', 'proxmox-api:home', '11')).toEqual(
    refused('Nothing was changed.\nthey are all that the item has; there is nothing to split it from\n'),
  );
  expect(await rollcall('adopt', 'web-1', '--from', 'db-1')).toEqual(
    refused('db-1 is running: only what is missing or retired is gone on for. Merge the two if they are one.\n'),
  );
});

test('a claim is named by its number, its id, or its source and key in one word or two', () => {
  const claims = [
    { claim_id: 'id-a', source: 'import:hosts.yml', native_key: 'web' },
    { claim_id: 'id-b', source: 'terraform:infra', native_key: 'vm.web 1' },
    { claim_id: 'id-c', source: 'import:hosts.yml', native_key: '1' },
  ];
  const named = (...written: string[]) => claimsNamed(claims, written, 'web-1').map(({ claim_id }) => claim_id);

  expect(named('2', 'id-a')).toEqual(['id-b', 'id-a']);
  expect(named('terraform:infra vm.web 1')).toEqual(['id-b']);
  expect(named('import:hosts.yml', '1', '1')).toEqual(['id-c', 'id-a']);
  expect(named('1', 'import:hosts.yml', 'web')).toEqual(['id-a']);
  expect(() => named('import:hosts.yml')).toThrow('web-1 has no claim import:hosts.yml.');
});

test('a dead item is gone on for by a living one, under its name', async () => {
  const { idOf, read, rollcall } = await world();
  await read('proxmox-api:home', guest('web-1', 11), guest('db-new', 22));

  const adopted = await rollcall('adopt', 'db-new', '--from', 'db-1', '--reason', 'made anew');

  expect(adopted).toEqual({
    code: 0,
    stderr: '',
    stdout: `db-new (virtual_machine in site-home, ${await idOf('db-new')}) goes on for db-1. Ansible finds it as db-1 from now on.\n`,
  });
});

describe('a conflict', () => {
  async function torn() {
    const one = await world();
    const macs = ['52:54:00:00:00:11', '52:54:00:00:00:12'];
    await one.read('import:lab.yml', {
      ci_type: 'machine',
      ci_name: 'both',
      external_id: 'b',
      technical_specs: { macs },
    });
    const { items } = (await one.call('GET', '/conflicts')).body as { items: { conflict_id: string }[] };
    return { ...one, id: items[0]?.conflict_id as string };
  }

  test('is listed with how to answer it, and answered', async () => {
    const { id, idOf, rollcall } = await torn();

    const listed = await rollcall('conflicts');
    const alerted = await rollcall('doctor');
    const answered = await rollcall('conflicts', 'resolve', id, 'same', 'db-1');
    const none = await rollcall('conflicts');

    expect(listed.stdout).toContain(
      '\nAnswer with "rollcall conflicts resolve ID same NAME", or "… ID apart" where it is none of them.\n',
    );
    expect(alerted.stdout).toContain('"rollcall conflicts" shows which');
    expect(answered).toEqual({
      code: 0,
      stderr: '',
      stdout: `import:lab.yml b is of db-1 (${await idOf('db-1')}) now.\n`,
    });
    expect(none.stdout).toBe('No conflict is open.\n');
  });

  test('is answered with apart where it is none of them', async () => {
    const { id, idOf, rollcall } = await torn();

    const apart = await rollcall('conflicts', 'resolve', id, 'apart');
    const twice = await rollcall('conflicts', 'resolve', id, 'apart');

    expect(apart).toMatchObject({ code: 0, stdout: `import:lab.yml b is of both (${await idOf('both')}) now.\n` });
    expect(twice).toEqual({ code: 1, stdout: '', stderr: 'This question is answered already.\n' });
  });

  test.each([
    [['perhaps'], 'The answer is same or apart, not perhaps.'],
    [['same'], 'Name the item that is meant: rollcall conflicts resolve ID same NAME.'],
    [['apart', 'db-1'], 'With apart no item is named: it is none of those that it could be of.'],
  ])('is not answered by %j', async (words, line) => {
    const { rollcall } = await world();

    expect(await rollcall('conflicts', 'resolve', 'x', ...words)).toEqual({ code: 1, stdout: '', stderr: `${line}\n` });
  });
});

describe('the identity of an item', () => {
  test('is explained by what ties its claims together, and what holds it apart from others', async () => {
    const { call, read, idOf, rollcall } = await world();
    await read('terraform:infra', {
      ci_type: 'virtual_machine',
      ci_name: 'web',
      external_id: 'vm.web',
      technical_specs: { macs: ['52:54:00:00:00:11'] },
    });
    await read('proxmox-api:home', guest('web-1', 11, { serial: 'S-100' }), guest('db-1', 12, { serial: 'S-100' }));
    const macs = ['52:54:00:00:00:11', '52:54:00:00:00:12'];
    await read('import:lab.yml', { ci_type: 'machine', ci_name: 'both', external_id: 'b', technical_specs: { macs } });
    const [conflict] = ((await call('GET', '/conflicts')).body as { items: { conflict_id: string }[] }).items;
    const db = await idOf('db-1');

    const { code, stdout } = await rollcall('explain', 'web-1', '--identity');
    const json = await rollcall('explain', 'web-1', '--identity', '--json');

    expect({ code, lines: stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  ')) }).toEqual({
      code: 0,
      lines: [
        'CLAIM  TIED TO  BY',
        'proxmox-api:home 11  web-1  its source goes on reporting it; it has MAC 52:54:00:00:00:11 as others here do',
        'terraform:infra vm.web  proxmox-api:home 11  MAC 52:54:00:00:00:11',
        '',
        'IS NOT  ID  ALTHOUGH BOTH HAVE  BECAUSE',
        `db-1  ${db}  serial s-100  one source reports both, under two keys`,
        '',
        'Several that cannot be one carry it, so it identifies none: serial s-100.',
        '',
        `Of import:lab.yml b a person has to say what it speaks of: rollcall conflicts resolve ${conflict?.conflict_id}`,
        '',
      ],
    });
    expect(JSON.parse(json.stdout)).toEqual((await call('GET', '/ci/web-1/identity')).body);
  });

  test('is of the whole item', async () => {
    const { rollcall } = await world();

    expect(await rollcall('explain', 'web-1', 'owner', '--identity')).toMatchObject({
      code: 1,
      stderr: '--identity is of the whole item, and of no attribute.\n',
    });
  });
});
