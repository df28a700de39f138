/** `rollcall spool`: calls of the callback plugin that wait for the service, because it could not be reached. */

import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Command } from 'commander';
import { readEnvironment } from '../environment.ts';
import { type Client, Refusal } from './client.ts';
import { counted, note, print, printJson, printTable } from './output.ts';
import { withClient } from './service.ts';

interface Waiting {
  file: string;
  path: string;
  service: string;
  method: string;
  bytes: number;
  /** What the service once refused; it is kept, and not sent again. */
  refused: boolean;
  body: Buffer;
}

const waitingName = /\.call$/;
const refusedName = /\.call\.refused$/;

export function spoolCommand(): Command {
  const command = new Command('spool').description('results of playbooks that wait for the service on this machine');
  command
    .command('list', { isDefault: true })
    .description('what waits, in the order in which it is delivered')
    .option('--json', 'for programs')
    .addHelpText('after', '\nExamples:\n  rollcall spool\n  rollcall spool list --json')
    .action(({ json }: { json?: boolean }) => {
      const folder = spoolFolder();
      const calls = callsIn(folder);
      if (json) return printJson({ folder, calls: calls.map(({ body: _, ...call }) => call) });
      printTable(
        ['FILE', 'STATE', 'BYTES', 'SERVICE', 'CALL'],
        calls.map((call) => [
          call.file,
          call.refused ? 'refused' : 'waits',
          call.bytes,
          call.service,
          call.path.replace('/api/v1', ''),
        ]),
        `Nothing waits in ${folder}.`,
      );
    });
  command
    .command('flush')
    .description('deliver what waits')
    .addHelpText(
      'after',
      '\nExample:\n  rollcall spool flush\n\nThe next playbook with the callback plugin does so as well.\nExit code: 0 all was delivered, 1 the service cannot be reached, 2 something was refused or is for another service.',
    )
    .action(async (_: unknown, self: Command) => withClient(self, async (client) => await flush(client)));
  return command;
}

/**
 * Delivers in order. The plugin locks a file while it sends it, by flock, which Node does not have: a playbook that
 * delivers at the same time may send a call that is sent here too. Each call may be repeated, so that does no harm;
 * what is gone by the time of its turn has been delivered.
 */
async function flush(client: Client): Promise<void> {
  const folder = spoolFolder();
  const calls = callsIn(folder).filter(({ refused }) => !refused);
  const own = calls.filter(({ service }) => isSameService(service, client.url));
  const others = [...new Set(calls.filter((call) => !own.includes(call)).map(({ service }) => service))];
  let [delivered, refused] = [0, 0];
  for (const call of own) {
    const file = join(folder, call.file);
    if (!existsSync(file)) continue;
    const body = unpacked(call);
    if (body === undefined) {
      note(`${call.file} is damaged, and is left where it is.`);
      refused += 1;
      continue;
    }
    try {
      await client.send('PUT', call.path.replace(/^.*\/api\/v1/, ''), body);
      rmSync(file, { force: true });
      delivered += 1;
    } catch (error) {
      const isFinal = error instanceof Refusal && error.status >= 400 && error.status < 500;
      if (!isFinal || [401, 403, 408, 429].includes(error.status)) throw error;
      // A playbook that was refused it as well has set it aside already.
      unlessGone(() => renameSync(file, `${file}.refused`));
      note(`${call.file} was refused, and is kept as ${call.file}.refused: ${error.message}`);
      refused += 1;
    }
  }
  print(delivered === 0 && refused === 0 ? `Nothing waits in ${folder}.` : `Delivered ${counted(delivered, 'call')}.`);
  if (others.length > 0) note(`Calls for ${others.join(', ')} still wait; set ROLLCALL_URL to deliver them there.`);
  if (refused > 0 || others.length > 0) process.exitCode = 2;
}

/** What a call brings; undefined where that is cut off or otherwise broken. */
function unpacked({ body }: Waiting): unknown {
  try {
    return JSON.parse(gunzipSync(body).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** As the callback plugin finds it. */
function spoolFolder(): string {
  const { ROLLCALL_SPOOL_DIR: named, XDG_STATE_HOME: state = '' } = readEnvironment();
  if (named) return named;
  return join(isAbsolute(state) ? state : join(homedir(), '.local/state'), 'rollcall/spool');
}

function callsIn(folder: string): Waiting[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => waitingName.test(name) || refusedName.test(name));
  return names.sort().flatMap((file) => {
    const data = unlessGone(() => readFileSync(join(folder, file)));
    if (!data) return [];
    const end = data.indexOf('\n');
    try {
      const { path, service, method } = JSON.parse(data.subarray(0, end).toString('utf8')) as Record<string, string>;
      if (!path || !service) return [];
      const body = data.subarray(end + 1);
      return [
        { file, path, service, method: method ?? 'PUT', bytes: data.length, refused: refusedName.test(file), body },
      ];
    } catch {
      note(`${file} is damaged, and is left where it is.`);
      return [];
    }
  });
}

/** A playbook takes files out of the folder at any moment. */
function unlessGone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

/** On one machine it is one service, whatever port it has at the moment. */
function isSameService(a: string, b: string): boolean {
  const plain = (url: string) => url.replace(/\/+$/, '');
  return plain(a) === plain(b) || (isHere(a) && isHere(b));
}

function isHere(url: string): boolean {
  return /^https?:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|$|\/)/.test(url);
}
