/** How `ansible/inventory.py` is called, and where it looks for its settings. */

import { chmodSync, copyFileSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder, inventoryScript, runProgram } from './run-ansible.ts';
import { type StandIn, serving, startStandIn } from './stand-in.ts';
import { body, expectRefusal, inventoryOf, nowhere, one, token, world } from './world.ts';

test('the script works copied, symlinked, and from any folder', async () => {
  const { folder, env } = world(await startStandIn(serving(one)));
  const elsewhere = emptyFolder();
  // Names that the standard library has too, as a folder of inventories may hold them.
  for (const name of ['socket.py', 'json.py', 'ssl.py']) writeFileSync(join(folder, name), 'raise SystemExit(9)');
  const copied = join(folder, 'rollcall.py');
  copyFileSync(inventoryScript, copied);
  symlinkSync(inventoryScript, join(elsewhere, 'hosts'));

  const runs = [copied, join(elsewhere, 'hosts')].flatMap((script) =>
    [folder, elsewhere, '/'].map((cwd) => runProgram(script, ['--list'], { cwd, env: { ...env, HOME: folder } })),
  );

  expect(await Promise.all(runs)).toEqual(Array(6).fill({ code: 0, stdout: body, stderr: '' }));
});

test('the script finds the token of its checkout, also through a symlink, and sends it to this machine alone', async () => {
  const service = await startStandIn(serving(one));
  const folder = emptyFolder();
  const script = checkout(folder, 'of-the-checkout');
  symlinkSync(script, join(folder, 'hosts'));
  const run = (program: string, url: string) =>
    runProgram(program, ['--list'], { cwd: folder, env: { ROLLCALL_URL: url } });

  expect((await run(script, service.url)).stdout).toBe(body);
  expect((await run(join(folder, 'hosts'), service.url)).stdout).toBe(body);
  expect(sentTokens(service)).toEqual(['of-the-checkout', 'of-the-checkout']);
  expectRefusal(await run(script, 'http://192.0.2.1:7373'), 'goes to this machine alone');
});

test('the script asks this machine at port 7373 where nothing is configured, and says what to do without a token', async () => {
  const folder = emptyFolder();
  copyFileSync(inventoryScript, join(folder, 'inventory.py'));

  const outcome = await runProgram(join(folder, 'inventory.py'), ['--list'], { cwd: folder });

  expectRefusal(outcome, 'http://127.0.0.1:7373', 'ROLLCALL_TOKEN', 'rollcall login');
});

test('the script takes the first token it is told of, in order', async () => {
  const service = await startStandIn(serving(one));
  const folder = emptyFolder();
  const script = checkout(folder, 'checkout');
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${text}\n`);
  };
  put('env-file', 'env-file');
  put('cfg-file', 'cfg-file');
  put('ansible.cfg', '[rollcall]\ntoken_file = cfg-file ; beside it');
  put('.config/rollcall/url', service.url);
  put('.config/rollcall/token', 'login');
  put('moved/ansible.token', 'moved');
  const env: Record<string, string> = {
    ROLLCALL_TOKEN: 'env',
    ROLLCALL_TOKEN_FILE: '~/env-file',
    ROLLCALL_TOKEN_COMMAND: 'printf %s command; echo',
    ROLLCALL_URL: service.url,
    ROLLCALL_DATA: join(folder, 'moved'),
  };
  const run = () => runProgram(script, ['--list'], { cwd: folder, env });

  await run();
  for (const variable of ['ROLLCALL_TOKEN', 'ROLLCALL_TOKEN_FILE', 'ROLLCALL_TOKEN_COMMAND']) {
    delete env[variable];
    await run();
  }
  put('ansible.cfg', '[defaults]');
  await run();
  put('.config/rollcall/url', 'https://cmdb.example.org');
  await run();
  delete env.ROLLCALL_DATA;
  await run();

  const order = ['env', 'env-file', 'command', 'cfg-file', 'login', 'moved', 'checkout'];
  expect(sentTokens(service)).toEqual(order);
});

test('the script sends the token of a login to the address of that login alone', async () => {
  const [mine, other] = await Promise.all([startStandIn(serving(one)), startStandIn(serving(one))]);
  const folder = emptyFolder();
  mkdirSync(join(folder, 'xdg/rollcall'), { recursive: true });
  writeFileSync(join(folder, 'xdg/rollcall/url'), `${mine.url}/\n`);
  writeFileSync(join(folder, 'xdg/rollcall/token'), 'login\n');
  const run = (env: Record<string, string>) =>
    runProgram(inventoryScript, ['--list'], {
      cwd: folder,
      env: { XDG_CONFIG_HOME: join(folder, 'xdg'), ROLLCALL_DATA: folder, ...env },
    });

  expect((await run({})).stdout).toBe(body);
  expectRefusal(await run({ ROLLCALL_URL: other.url }), 'is for another address');
  expect(sentTokens(mine)).toEqual(['login']);
  expect(other.asked).toEqual([]);
});

test('the script reads the ansible.cfg that Ansible would read, with its folder as the place of its paths', async () => {
  const service = await startStandIn(serving(one));
  const folder = emptyFolder();
  const home = join(folder, 'home');
  const project = join(folder, 'project');
  for (const place of [home, project]) {
    mkdirSync(place);
    writeFileSync(join(place, 'token'), `of-${place.split('/').at(-1)}`);
  }
  const settings = `[rollcall]\nurl = ${service.url}\ntoken_file = token\nsite = %(x)s\ncache_dir = copies\n`;
  writeFileSync(join(home, '.ansible.cfg'), settings);
  writeFileSync(join(project, 'ansible.cfg'), settings);
  const run = (cwd: string, env = {}) => runProgram(inventoryScript, ['--list'], { cwd, env: { HOME: home, ...env } });

  await run(project);
  await run(folder);
  await run(folder, { ANSIBLE_CONFIG: project });
  chmodSync(project, 0o777);
  await run(project);
  chmodSync(project, 0o755);
  writeFileSync(join(project, 'ansible.cfg'), '[defaults]\n');
  const nothing = await run(project, { ROLLCALL_DATA: folder });

  expect(sentTokens(service)).toEqual(['of-project', 'of-home', 'of-project', 'of-home']);
  expect(service.asked[0]?.url).toBe('/api/v1/inventory?site_id=%25(x)s'.replace('(', '%28').replace(')', '%29'));
  expect(readdirSync(join(project, 'copies'))).toHaveLength(1);
  expectRefusal(nothing, 'No token');
});

test.each([
  ['a token in ansible.cfg', { cfg: `token = ${token}` }, 'holds a token itself'],
  ['a token command in ansible.cfg', { cfg: 'token_command = x' }, 'ROLLCALL_TOKEN_COMMAND'],
  ['an ansible.cfg that is none', { cfg: 'x\n]=[' }, 'ansible.cfg cannot be read'],
  ['an address without a scheme', { ROLLCALL_URL: 'cmdb.home:7373' }, 'ROLLCALL_URL is no address'],
  ['an address with a port that is none', { ROLLCALL_URL: 'http://a:99999' }, 'ROLLCALL_URL is no address'],
  ['an address with a password', { ROLLCALL_URL: `http://me:${token}@a` }, 'ROLLCALL_URL holds a user'],
  ['an address that cannot be a name', { ROLLCALL_URL: `http://${'a'.repeat(70)}.x` }, 'Rollcall'],
  ['a timeout of nothing', { ROLLCALL_TIMEOUT: '0s' }, 'ROLLCALL_TIMEOUT is 0'],
  ['a timeout in no words', { ROLLCALL_TIMEOUT: 'soon' }, 'ROLLCALL_TIMEOUT is no length of time'],
  ['an age in no words', { ROLLCALL_MAX_STALE: '-1' }, 'ROLLCALL_MAX_STALE is no length of time'],
  ['a token with a line in it', { ROLLCALL_TOKEN: `${token}\nX: y` }, 'ROLLCALL_TOKEN holds is no token'],
  ['a token file that is not there', { ROLLCALL_TOKEN: '', ROLLCALL_TOKEN_FILE: '/nowhere' }, '/nowhere'],
  ['an empty token file', { ROLLCALL_TOKEN: '', ROLLCALL_TOKEN_FILE: '/dev/null' }, 'it is empty'],
  ['a command that fails', { ROLLCALL_TOKEN: '', ROLLCALL_TOKEN_COMMAND: 'echo x; exit 3' }, 'ended with exit 3'],
  ['a command that prints nothing', { ROLLCALL_TOKEN: '', ROLLCALL_TOKEN_COMMAND: 'true' }, 'printed nothing'],
])('the script refuses %s', async (_, { cfg, ...env }: Record<string, string>, sentence) => {
  const made = world(await nowhere());
  if (cfg) writeFileSync(join(made.folder, 'ansible.cfg'), `[rollcall]\n${cfg}\n`);

  expectRefusal(await made.list(env), sentence);
});

test('the script ends with exit 1 and no JSON on a terminal, where a person sees the sentence', async () => {
  const { folder, env } = world(await nowhere());
  const program = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

  const outcome = await runProgram('python3', ['-c', program, inventoryScript, '--list'], { cwd: folder, env });

  expect(outcome.code).toBe(1);
  expect(outcome.stdout).toMatch(/^Rollcall at \S+ cannot be reached [^\n]+\.\r\n$/);
});

test('the script ends quietly when its reader is gone', async () => {
  const { folder, env } = world(await startStandIn(serving(inventoryOf('web-1', { padding: 'x'.repeat(1_000_000) }))));

  const outcome = await runProgram('/bin/sh', ['-c', `${inventoryScript} --list | true`], { cwd: folder, env });

  expect(outcome).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('the script explains itself', async () => {
  const { run } = world(await nowhere());

  expect(await run(['--help'])).toMatchObject({ code: 0, stderr: '' });
  expect(await run([])).toMatchObject({ code: 2, stdout: '' });
});
/** A checkout with the script and its token; returns the script. */
function checkout(folder: string, itsToken: string): string {
  const script = join(folder, 'checkout/ansible/inventory.py');
  mkdirSync(join(folder, 'checkout/ansible'), { recursive: true });
  mkdirSync(join(folder, 'checkout/data'));
  copyFileSync(inventoryScript, script);
  writeFileSync(join(folder, 'checkout/data/ansible.token'), `${itsToken}\n`);
  return script;
}

const sentTokens = (service: StandIn) => service.asked.map(({ headers }) => headers.authorization?.split(' ')[1]);
