/** What a person does to one item with a command, and how the item explains itself. */

import { describe, expect, test } from 'vitest';
import { momentOf } from '../../src/cli/output.ts';
import { startService } from '../service.ts';
import { besides } from './run.ts';

const guest = {
  ci_name: 'web-1',
  ci_type: 'virtual_machine',
  ci_status: 'running',
  external_id: '101',
  technical_specs: { cpu_cores: 2 },
  tags: ['prod'],
};

async function world() {
  const service = await startService();
  await service.call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items: [guest] });
  return { ...service, service, rollcall: besides(service) };
}

const start = '2026-03-02T10:00:00.000Z';
const noon = momentOf('2026-03-02T12:00:00.000Z');

describe('a pin', () => {
  test('is set with a value that is read as YAML, told a second time to stand, and taken off', async () => {
    const { call, rollcall } = await world();
    const words = ['web-1', 'specs.cpu_cores', '8', '--reason', 'it counts threads', '--until', '2h'];

    const first = await rollcall('pin', ...words);
    const inForce = (await call('GET', '/ci/web-1')).body;
    const second = await rollcall('pin', ...words);
    const off = await rollcall('unpin', 'web-1', 'technical_specs.cpu_cores', '--reason', 'mended');
    const again = await rollcall('unpin', 'web-1', 'specs.cpu_cores');

    const told = (more: string) =>
      `technical_specs.cpu_cores of web-1 is pinned${more} to 8 until ${noon}: it counts threads.\n`;
    expect(first).toEqual({ code: 0, stderr: '', stdout: told('') });
    expect(inForce).toMatchObject({ technical_specs: { cpu_cores: 8 } });
    expect(second).toEqual({ code: 0, stderr: '', stdout: told(' already') });
    expect(off.stdout).toBe('technical_specs.cpu_cores of web-1 is no longer pinned to 8. It is 2 now.\n');
    expect(again).toEqual({ code: 0, stderr: '', stdout: 'technical_specs.cpu_cores of web-1 is not pinned.\n' });
  });

  test('that nobody else has a word on leaves nothing behind', async () => {
    const { rollcall } = await world();
    await rollcall('pin', 'web-1', 'owner', '007', '--reason', 'hers');

    const { stdout } = await rollcall('unpin', 'web-1', 'owner');

    expect(stdout).toBe('owner of web-1 is no longer pinned to 007. Nobody says it now.\n');
  });

  test.each([
    [['specs.cpu_cores', 'many', '--reason', 'x'], 'technical_specs.cpu_cores must be a number, not "many"'],
    [
      ['tags', '[a]', '--reason', 'x'],
      '"tags" adds up over all sources, and has no one value to pin; write the list with PUT /ci/{ci_id}',
    ],
    [
      ['owner', 'a', '--reason', 'x', '--until', 'soon'],
      '--until must be a time such as 2027-01-31T00:00:00Z, or a span from now such as 2h or 3d',
    ],
    [['owner', 'a', '--reason', 'x', '--until', '2020-01-01'], '--until lies in the past'],
  ])('that cannot be is refused in the words of the command: %j', async (words, line) => {
    const { rollcall } = await world();

    expect(await rollcall('pin', 'web-1', ...words)).toEqual({
      code: 1,
      stdout: '',
      stderr: `Nothing was changed.\n${line}\n`,
    });
  });

  test('wants a known attribute and a reason', async () => {
    const { rollcall } = await world();

    expect(await rollcall('pin', 'web-1', 'ownr', 'a', '--reason', 'x')).toMatchObject({
      code: 1,
      stderr: 'ownr is not a known key here; did you mean owner?\n',
    });
    expect(await rollcall('pin', 'web-1', 'owner', 'a')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("required option '--reason <text>' not specified") as unknown,
    });
  });
});

test('an item is held with a reason and an end, and released', async () => {
  const { call, rollcall } = await world();

  const held = await rollcall('hold', 'web-1', '--reason', 'new disk', '--until', '2h');
  const during = (await call('GET', '/ci/web-1')).body;
  const again = await rollcall('hold', 'web-1', '--reason', 'new disk', '--until', '2026-03-02 12:00');
  const released = await rollcall('release', 'web-1');
  const twice = await rollcall('release', 'web-1');

  const told = (more: string) =>
    `web-1 is held${more} until ${noon}: new disk. It is out of the inventory; "rollcall release" ends that.\n`;
  expect(held).toEqual({ code: 0, stderr: '', stdout: told('') });
  expect(during).toMatchObject({ ci_status: 'maintenance', hold: { reason: 'new disk', by: 'manual:admin' } });
  expect(again.stdout).toBe(told(' already'));
  expect(released.stdout).toBe('Released web-1, which was held: new disk. Its status is running.\n');
  expect(twice).toEqual({ code: 0, stderr: '', stdout: 'web-1 is not held. Its status is running.\n' });
});

test('an item that is not there is a sentence, whatever is done to it', async () => {
  const { rollcall } = await world();
  const refused = { code: 1, stdout: '', stderr: 'No configuration item is named ghost.\n' };

  expect(await rollcall('hold', 'ghost', '--reason', 'x')).toEqual(refused);
  expect(await rollcall('pin', 'ghost', 'owner', 'a', '--reason', 'x')).toEqual(refused);
  expect(await rollcall('explain', 'ghost')).toEqual(refused);
});

describe('an explanation', () => {
  test('has a line for each attribute, with what the others say beneath it', async () => {
    const { call, pass, rollcall } = await world();
    pass({ hours: 2 });
    await call('PUT', '/ci/web-1', { technical_specs: { cpu_cores: 8 }, tags: ['prod', 'web'] });
    await call('PUT', '/ci/web-1/pins/owner', { value: 'alice', reason: 'hers', until: '2026-04-01' });

    const { code, stdout } = await rollcall('explain', 'web-1');

    const begun = momentOf(start);
    const lines = stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  '));
    expect(code).toBe(0);
    expect(lines[0]).toBe('ATTRIBUTE  VALUE  WHO  SINCE  WHY');
    expect(lines).toEqual(
      expect.arrayContaining([
        'ci_status  running  -  -  its power',
        `ci_name  web-1  proxmox-api:home  ${begun}  ranks: manual, proxmox-api, terraform, import, ansible`,
        `technical_specs.cpu_cores  2  proxmox-api:home  ${begun}  ranks: proxmox-api, ansible, terraform, import, manual`,
        ` └  8  manual:admin  ${noon}  says otherwise`,
        `owner  alice  pin  ${noon}  pinned by manual:admin: hers, until ${momentOf('2026-04-01T00:00:00.000Z')}`,
        'tags  prod, web  together  -  union',
        ` └  prod  proxmox-api:home  ${begun}  adds these`,
        ` └  web  manual:admin  ${noon}  adds these`,
        'A pin goes before every source; "rollcall unpin" takes it off.',
      ]),
    );
  });

  test('is of one attribute or one section where that is named, and for programs the answer of the service', async () => {
    const { call, rollcall } = await world();
    await call('PUT', '/ci/web-1', { technical_specs: { memory_mb: 2048 } });

    const one = await rollcall('explain', 'web-1', 'specs.memory_mb');
    const section = await rollcall('explain', 'web-1', 'specs');
    const none = await rollcall('explain', 'web-1', 'owner');
    const json = await rollcall('explain', 'web-1', '--json');

    expect(one.stdout.trim().split('\n')).toEqual([
      expect.stringMatching(/^ATTRIBUTE /),
      expect.stringMatching(/^technical_specs\.memory_mb +2048 +manual:admin /),
    ]);
    expect(section.stdout.trim().split('\n')).toHaveLength(3);
    expect(none).toEqual({ code: 0, stderr: '', stdout: 'Nobody says anything of owner.\n' });
    expect(JSON.parse(json.stdout)).toEqual((await call('GET', '/ci/web-1/explain')).body);
  });

  test('of an unknown attribute says what was probably meant', async () => {
    const { rollcall } = await world();

    expect(await rollcall('explain', 'web-1', 'enviroment')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'enviroment is not a known key here; did you mean environment?\n',
    });
  });
});

describe('what a person did', () => {
  test('is undone by the number that the history shows, and a refusal says what can be pinned instead', async () => {
    const { call, rollcall, pass } = await world();
    const items = [{ ...guest, ci_status: 'paused' }];
    pass({ minutes: 1 });
    await call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items });
    await call('PUT', '/ci/web-1', { notes: 'loud' });
    const shown = (await rollcall('history', 'web-1', '--limit', '2')).stdout;
    const [made, said] = [...shown.matchAll(/#(\d+)/g)].map(([, number]) => number as string);

    const undone = await rollcall('revert', made as string, '--reason', 'a slip');
    const twice = await rollcall('revert', made as string);
    const refused = await rollcall('revert', said as string);
    const { ci_id, notes } = (await call('GET', '/ci/web-1')).body as { ci_id: string; notes: unknown };

    const number = Number(made) + 1;
    expect(undone).toEqual({ code: 0, stderr: '', stdout: `Undone, as change ${number} of web-1.\n` });
    expect(notes).toBeNull();
    expect(twice).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`Change ${made} is undone: by change ${number}.`) as string,
    });
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`rollcall pin ${ci_id} power '"running"' --reason`) as string,
    });
  });
});
