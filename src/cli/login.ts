/** `rollcall login`: address and token of a service, kept for this user, where the inventory script looks for them. */

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { readEnvironment } from '../environment.ts';
import { StartError } from '../errors.ts';
import { clientOf, Refusal } from './client.ts';
import { note, print } from './output.ts';
import { checkedToken, checkedUrl, loginFolder, tokenIn, trustAuthority } from './service.ts';

export function loginCommand(): Command {
  return new Command('login')
    .description('keep address and token of a service for this user; ansible/inventory.py finds them')
    .argument('<url>', 'where the service answers, such as https://cmdb.example.org')
    .option('--token-file <file>', 'a file that holds the token; read from stdin unless given')
    .addHelpText(
      'after',
      '\nThe token is tried first: it has to be allowed to read the inventory. It is kept with mode 0600.\n\nExamples:\n  rollcall login http://127.0.0.1:7373 --token-file data/ansible.token\n  ssh cmdb rollcall token create "$(hostname -s)" | rollcall login https://cmdb.example.org',
    )
    .action(async (given: string, { tokenFile }: { tokenFile?: string }) => {
      const env = readEnvironment();
      const url = checkedUrl(given, 'This');
      const token = tokenFile === undefined ? await askForToken() : tokenIn(tokenFile, '');
      trustAuthority(env.ROLLCALL_CA);
      await tryOut(url, token, tokenFile ?? 'stdin');
      if (url.startsWith('http:') && !/^http:\/\/(localhost|127\.[\d.]+|\[::1\])(:|\/|$)/.test(url))
        note('This address has no TLS: everyone on the way can read the token.');
      const folder = loginFolder(env);
      keep(folder, url, token);
      print(`Logged in to ${url}: address and token are in ${folder}.`);
    });
}

async function tryOut(url: string, token: string, tokenFrom: string): Promise<void> {
  const advice = 'Nothing was kept.';
  try {
    await clientOf({ url, called: `Rollcall at ${url}`, token, tokenFrom, advice }).read('/inventory');
  } catch (error) {
    if (error instanceof Refusal) throw new StartError(`${error.message} ${advice}`, { cause: error });
    throw error;
  }
}

/** What the token belongs to must never be in doubt: the former one goes before the address changes. */
function keep(folder: string, url: string, token: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  rmSync(join(folder, 'token'), { force: true });
  for (const [name, content] of [
    ['url', url],
    ['token', token],
  ] as const) {
    const draft = join(folder, `${name}.new`);
    rmSync(draft, { force: true });
    writeFileSync(draft, `${content}\n`, { mode: 0o600 });
    renameSync(draft, join(folder, name));
  }
}

/** From a pipe as it comes; from a terminal without showing it. */
async function askForToken(): Promise<string> {
  if (!process.stdin.isTTY) return checkedToken(await text(process.stdin), 'stdin');
  process.stderr.write('Token (it is not shown): ');
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  const answer = await terminal.question('');
  terminal.close();
  process.stderr.write('\n');
  return checkedToken(answer, 'What was typed');
}
