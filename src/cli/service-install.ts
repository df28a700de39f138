/** `rollcall service`: run by systemd from the start of the machine on, under a user of its own. */

import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { StartError } from '../errors.ts';
import { print } from './output.ts';
import { faultOfPath, sysusersOf, tmpfilesOf, unitOf } from './unit.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

interface Options {
  user: string;
  dataFolder: string;
  settings: string;
  root: string;
  print?: boolean;
  now: boolean;
}

/** Below the root of the system that it is installed into. */
const places = {
  unit: 'etc/systemd/system/rollcall.service',
  sysusers: 'etc/sysusers.d/rollcall.conf',
  tmpfiles: 'etc/tmpfiles.d/rollcall.conf',
};

export function serviceCommand(): Command {
  return new Command('service')
    .description('run Rollcall by systemd, hardened and under a user of its own')
    .addCommand(installCommand())
    .addCommand(uninstallCommand());
}

function installCommand(): Command {
  return new Command('install')
    .description('write the unit, make user and folders, and start the service now and with each boot; as root')
    .option('--user <user>', 'under whom it runs', 'rollcall')
    .option('--data-folder <folder>', 'where its data are', '/var/lib/rollcall')
    .option(
      '--settings <file>',
      'its configuration; the example is copied there unless it is there',
      '/etc/rollcall/rollcall.yml',
    )
    .option('--root <folder>', 'install into the system in this folder, such as an image that is being built', '/')
    .option('--no-now', 'start it with the next boot, and not now')
    .option('--print', 'print the unit, and do nothing')
    .addHelpText(
      'after',
      '\nThe program stays where it is, and is run from there: /opt/rollcall is a good place, a home is none.\n\nExamples:\n  rollcall service install --print\n  rollcall service install',
    )
    .action(async (options: Options) => {
      const unit = unitOf({
        program,
        node: process.execPath,
        user: options.user,
        data: options.dataFolder,
        config: options.settings,
        start: startScript(),
      });
      if (options.print) {
        process.stdout.write(unit);
        return;
      }
      refusePowerless(options.root);
      refuseUnfit(options);
      await install(unit, options);
    });
}

function refuseUnfit({ user, dataFolder, settings }: Options): void {
  if (!/^[a-z_][a-z0-9_-]{0,30}$/.test(user)) throw new StartError(`${user} is no name of a system user.`);
  const paths = {
    'The program in': program,
    'The Node in': process.execPath,
    'The data in': dataFolder,
    'The settings in': settings,
  };
  for (const [what, path] of Object.entries(paths)) {
    const fault = faultOfPath(path);
    if (fault !== undefined) throw new StartError(`${what} ${path} would not be usable: ${fault}.`);
  }
}

function refusePowerless(root: string): void {
  if (process.getuid?.() !== 0)
    throw new StartError('This wants root: run it with sudo, or see the unit with --print.');
  if (root === '/' && !existsSync('/run/systemd/system'))
    throw new StartError(
      'systemd does not run this machine. --print shows the unit; --root installs into a folder that systemd will run.',
    );
}

async function install(unit: string, { user, dataFolder, settings, root, now }: Options): Promise<void> {
  const at = (path: string) => join(resolve(root), path);
  const files = {
    [places.unit]: unit,
    [places.sysusers]: sysusersOf(user, dataFolder),
    [places.tmpfiles]: tmpfilesOf(user, dataFolder, dirname(settings)),
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), content, { mode: 0o644 });
    print(`wrote ${at(path)}`);
  }
  const rooted = root === '/' ? [] : [`--root=${resolve(root)}`];
  await call('systemd-sysusers', [...rooted, at(places.sysusers)]);
  await call('systemd-tmpfiles', [...rooted, '--create', at(places.tmpfiles)]);
  if (!existsSync(at(settings))) {
    copyFileSync(join(program, 'rollcall.example.yml'), at(settings));
    print(`wrote ${at(settings)}, in which every setting is a comment`);
  }
  await call('systemctl', [...rooted, 'enable', 'rollcall.service']);
  if (root !== '/' || !now) return print('It starts with the next boot.');
  await call('systemctl', ['daemon-reload']);
  await call('systemctl', ['restart', 'rollcall.service']);
  for (const line of nextSteps(user, dataFolder, settings)) print(line);
}

function nextSteps(user: string, data: string, settings: string): string[] {
  return [
    '',
    'It runs. Next:',
    '  systemctl status rollcall; journalctl -u rollcall -f    how it is',
    `  sudo npx rollcall --data ${data} doctor    whether all is well`,
    `  ${data}/admin.token                         may do everything: "rollcall login URL" keeps it for a user`,
    `  ${settings}, then systemctl restart rollcall    its settings; secrets in files beside it, readable by ${user}`,
    '',
    'Data from before go there with the service stopped: "rollcall backup FILE" where they were, then',
    `  sudo systemctl stop rollcall && sudo -u ${user} npx rollcall --data ${data} restore FILE`,
  ];
}

function uninstallCommand(): Command {
  return new Command('uninstall')
    .description('stop it and take the unit away; data, settings and user stay; as root')
    .option('--root <folder>', 'of the system in this folder', '/')
    .addHelpText('after', '\nExample:\n  rollcall service uninstall')
    .action(async ({ root }: { root: string }) => {
      refusePowerless(root);
      const at = (path: string) => join(resolve(root), path);
      if (!existsSync(at(places.unit))) throw new StartError(`There is no ${at(places.unit)}.`);
      const words = root === '/' ? ['disable', '--now'] : [`--root=${resolve(root)}`, 'disable'];
      await call('systemctl', [...words, 'rollcall.service']);
      for (const path of Object.values(places)) rmSync(at(path), { force: true });
      if (root === '/') await call('systemctl', ['daemon-reload']);
      print('It is not run any more. Its data, its settings and its user are where they were.');
    });
}

/** As "npm start" does it: the same words for Node, the same variables. */
function startScript(): string {
  const { scripts } = JSON.parse(readFileSync(join(program, 'package.json'), 'utf8')) as { scripts: { start: string } };
  return scripts.start;
}

async function call(command: string, words: readonly string[]): Promise<void> {
  try {
    await run(command, words);
  } catch (error) {
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string };
    const why =
      code === 'ENOENT' ? 'is not on this machine: install systemd' : `failed: ${stderr.trim() || String(code)}`;
    throw new StartError(`${command} ${why}.`, { cause: error });
  }
}
