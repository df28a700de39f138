/** `rollcall serve`: the service, until it is told to stop. */

import { setFlagsFromString } from 'node:v8';
import { Command } from 'commander';
import { configOf } from './service.ts';

export function serveCommand(): Command {
  return new Command('serve')
    .description('run the service in this terminal, or under a service manager')
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall serve\n  rollcall --data /var/lib/rollcall serve\n  ROLLCALL_LISTEN=127.0.0.1:8080 rollcall serve',
    )
    .action(async (_options, command: Command) => {
      // By itself V8 lets the heap grow to several times what is in use, and a service keeps that memory for good.
      setFlagsFromString('--heap-growing-percent=20');
      const [{ openApp, version }, { openLog }] = await Promise.all([import('../app.ts'), import('../log.ts')]);
      const config = await configOf(command);
      const log = openLog(config.log.level, config.log.format);
      const app = await openApp(config, log);
      const stop = (signal: string) => {
        log.info({ signal }, 'stopping: no new requests, those under way are finished');
        // A second signal ends it at once.
        for (const name of ['SIGINT', 'SIGTERM'] as const) process.removeAllListeners(name);
        app.close().then(
          () => log.info('stopped'),
          (error: unknown) => {
            log.error({ err: error }, 'did not stop cleanly');
            process.exitCode = 1;
          },
        );
      };
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stop);
      process.stdout.write(`Rollcall ${version} serves on ${app.url}, data in ${config.data}\n`);
      if (app.firstTokens) process.stdout.write(nextSteps(app.url, app.firstTokens));
    });
}

function nextSteps(url: string, files: { admin: string; ansible: string }): string {
  return [
    '',
    'This is its first start. It has written two tokens, readable by you alone:',
    `  ${files.admin}    may do everything`,
    `  ${files.ansible}  is for Ansible, which finds it by itself`,
    '',
    'Next, in another terminal:',
    '  1. ansible all -i ansible/inventory.py -m ping    this machine is in the inventory already',
    '  2. npx rollcall ci set NAME ansible.host=ADDRESS  adds a machine; "npx rollcall apply FILE" adds many',
    `  3. ${url}/docs${' '.repeat(Math.max(2, 42 - url.length))}shows every call`,
    '',
    '',
  ].join('\n');
}
