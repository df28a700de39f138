/** `rollcall secret`: reads an item of the vault in this process, for playbooks and Terraform. No service is asked. */

import { Command, InvalidArgumentError, Option } from 'commander';
import { StartError } from '../errors.ts';
import { configOf } from './service.ts';

const formats = ['raw', 'env', 'external'] as const;

interface Options {
  format: (typeof formats)[number];
  name?: string;
}

export function secretCommand(): Command {
  return new Command('secret')
    .description('read a secret from the vault that rollcall.yml names, for a playbook or for Terraform')
    .argument('[item]', 'its id, or its name as it is written in the vault')
    .addOption(new Option('--format <format>', 'how it is printed').choices(formats).default('raw'))
    .option('--name <variable>', "with env: the variable; made of the item's name unless given", variableIn)
    .addHelpText(
      'after',
      `
Of a login it is the password, of a note its text, of an SSH key the private key.
  raw       as it is; a newline is added on a terminal alone
  env       NAME='value', for a shell
  external  for Terraform's data source "external": {"name": "…", "value": "…"}; without an item as argument, it
            is taken from the query on stdin: {"item": "…"}

This runs Bitwarden's CLI with the section vaultwarden of the configuration, and so as a user who may read the key of the
vault. An id is quicker than a name, and a "bw serve" quicker than both. An item that begins with - stands behind --.

Examples:
  rollcall secret 168a3276-2632-42e0-833d-959c79d53c34
  rollcall secret -- -odd-name
  eval "$(rollcall secret grafana --format env --name GRAFANA_PASSWORD)"

In a playbook:
  vars:
    db_password: "{{ lookup('pipe', 'rollcall secret db/app') }}"

For Terraform:
  data "external" "db" {
    program = ["rollcall", "secret", "--format", "external"]
    query   = { item = "db/app" }
  }
  # data.external.db.result.value`,
    )
    .action(async (named: string | undefined, { format, name: variable }: Options, command: Command) => {
      if (variable !== undefined && format !== 'env')
        throw new StartError('--name is for --format env; nothing else has a variable.');
      const item = named ?? (format === 'external' ? await itemInQuery() : undefined);
      if (!item) throw new StartError('Which item is meant? Name it by its id or its name: rollcall secret NAME.');
      const { name, value } = await read(command, item);
      process.stdout.write(printed[format](value, name, variable));
    });
}

async function read(command: Command, item: string): Promise<{ name: string; value: string }> {
  const config = await configOf(command);
  const [{ readVault }, { openLog }] = await Promise.all([import('../app.ts'), import('../log.ts')]);
  const log = openLog(config.log.level === 'silent' ? 'silent' : 'warn', config.log.format);
  const interrupted = new AbortController();
  // The CLI is in a group of its own, which the terminal does not reach, and it may wait for ever.
  const give = () => interrupted.abort(new StartError('It was given up.'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, give);
  return await readVault(config, item, interrupted.signal, log);
}

const printed: Record<Options['format'], (value: string, item: string, variable: string | undefined) => string> = {
  raw: (value) => (process.stdout.isTTY ? `${value}\n` : value),
  env: (value, item, variable) => `${variable ?? variableOf(item)}=${quoted(value)}\n`,
  external: (value, item) => `${JSON.stringify({ name: item, value })}\n`,
};

/** For sh: within single quotes nothing means anything but a single quote. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** `db/app-password` as DB_APP_PASSWORD. */
function variableOf(item: string): string {
  const words = item
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');
  if (words === '') throw new StartError(`No variable can be made of the name ${item}: name one with --name.`);
  return /^\d/.test(words) ? `_${words}` : words;
}

function variableIn(written: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(written)) return written;
  throw new InvalidArgumentError('It is the name of a variable, such as DB_PASSWORD.');
}

/** Terraform writes a JSON object of strings. What stands there is not repeated: who knows what was piped in. */
async function itemInQuery(): Promise<string> {
  if (process.stdin.isTTY) throw new StartError('Which item is meant? Name it, or send {"item": "NAME"} on stdin.');
  let text = '';
  for await (const part of process.stdin.setEncoding('utf8')) text += part as string;
  try {
    const query = JSON.parse(text) as { item?: unknown } | null;
    if (typeof query?.item === 'string' && query.item !== '') return query.item;
  } catch {
    // Told below.
  }
  throw new StartError('The query on stdin names no item: it looks like {"item": "NAME"}.');
}
