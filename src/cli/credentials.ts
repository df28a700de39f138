/** `rollcall credentials`: what has to be rotated when, and what was done about it. Never a secret. */

import { Command } from 'commander';
import { StartError } from '../errors.ts';
import type { Json, List } from './client.ts';
import { importCredentials, userIn } from './credentials-import.ts';
import { daysIn, historyCommand, listCommand, showCommand } from './credentials-list.ts';
import { counted, note, print, printJson, printTable, shown } from './output.ts';
import { runJob } from './run-job.ts';
import { withClient } from './service.ts';

const checkJob = 'check-credentials';

export function credentialsCommand(): Command {
  const command = new Command('credentials').description(
    'what has to be rotated when, and what was done about it; the secrets themselves stay in the vault',
  );
  for (const one of [
    listCommand(),
    showCommand(),
    historyCommand(),
    addCommand(),
    editCommand(),
    usedByCommand(),
    rotatedCommand(),
    putOffCommand('snooze', 'snooze', 'remind nobody of it until a day'),
    putOffCommand('waive', 'waiver', 'let it be until a day, without a rotation'),
    importCommand(),
    checkCommand(),
  ])
    command.addCommand(one);
  return command;
}

interface Said {
  type?: string;
  owner?: string;
  item?: string;
  state?: string;
  rotated?: string;
  period?: number;
  due?: string;
  expires?: string;
  notes?: string;
  runbook?: string;
  usedBy?: string[];
  json?: boolean;
}

function withWords(command: Command): Command {
  return command
    .option('--owner <owner>', 'whose it is: an address or a name')
    .option('--item <item>', "its item in the vault: the id, or the exact name; '' for none")
    .option('--state <state>', 'planned, active, rotating, compromised or retired')
    .option('--rotated <when>', 'when it was rotated last')
    .option('--period <days>', 'how many days one is used', daysIn)
    .option('--due <date>', 'when it has to be rotated next; from its last rotation and its period unless given')
    .option('--expires <when>', "when it ends by itself, as a certificate does; '' for never")
    .option('--notes <text>', 'what people should know of it; never the secret')
    .option('--runbook <url>', 'where it is described how it is rotated')
    .option('--used-by <items...>', 'items that use it, by name or id; web-1:deploy says as what')
    .option('--json', "the service's own answer");
}

function wordsOf({ type, owner, item, state, rotated, period, due, expires, notes, runbook, usedBy }: Said): Json {
  const orNull = (value: string | undefined) => (value === '' ? null : value);
  const all: Json = {
    credential_type: type,
    owner_email: orNull(owner),
    vaultwarden_item_id: orNull(item),
    lifecycle_state: state,
    last_rotated_at: orNull(rotated),
    rotation_period_days: period,
    next_rotation_due: orNull(due),
    expires_at: orNull(expires),
    notes: orNull(notes),
    runbook_url: orNull(runbook),
    associations: usedBy?.map(userIn),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function addCommand(): Command {
  const command = new Command('add')
    .description('record a credential: what it is and when it is due, never what it holds')
    .argument('<name>', 'what people call it')
    .requiredOption('--type <type>', 'a word of your own, by which policies name it, such as api_token or ssh_key');
  return withWords(command)
    .addHelpText(
      'after',
      '\nSaid again with the same type, it alters the record.\n\nExamples:\n  rollcall credentials add "pve token" --type api_token --item cmdb/proxmox --period 180 --used-by pve1:api\n  rollcall credentials add "wildcard home.lan" --type certificate --expires 2027-01-31 --owner ann@example.org',
    )
    .action(async (name: string, options: Said, self: Command) =>
      withClient(self, async (client) => {
        const credential = await client.send('POST', '/credentials', { credential_name: name, ...wordsOf(options) });
        if (options.json) return printJson(credential);
        print(`${shown(credential.credential_name)} is recorded: ${dueInWords(credential)}.`);
      }),
    );
}

function editCommand(): Command {
  const command = new Command('edit')
    .description('alter what is recorded of a credential')
    .argument('<name>', 'its name or id')
    .option('--name <name>', 'what it is called from now on')
    .option('--type <type>', 'its type from now on');
  return withWords(command)
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall credentials edit "pve token" --state compromised\n  rollcall credentials edit "pve token" --owner ann@example.org --due 2027-01-31',
    )
    .action(async (name: string, options: Said & { name?: string }, self: Command) =>
      withClient(self, async (client) => {
        const words = { ...wordsOf(options), ...(options.name === undefined ? {} : { credential_name: options.name }) };
        if (Object.keys(words).length === 0) throw new StartError('Say what to alter; --help lists the options.');
        const credential = await client.send('PATCH', `/credentials/${encodeURIComponent(name)}`, words);
        if (options.json) return printJson(credential);
        print(
          `${shown(credential.credential_name)} is ${shown(credential.lifecycle_state)}: ${dueInWords(credential)}.`,
        );
      }),
    );
}

function usedByCommand(): Command {
  return new Command('used-by')
    .description('say which items use a credential, or do no more')
    .argument('<name>', 'the credential, by its name or id')
    .argument('<items...>', 'by name or id; web-1:deploy says as what it uses it')
    .option('--remove', 'they use it no more')
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall credentials used-by "pve token" pve1:api web-1\n  rollcall credentials used-by "pve token" web-1 --remove',
    )
    .action(async (name: string, users: string[], { remove }: { remove?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        for (const { ci_name, role } of users.map(userIn)) {
          const path = `/credentials/${encodeURIComponent(name)}/associations/${encodeURIComponent(shown(ci_name))}`;
          const told = remove
            ? await client.send('DELETE', path)
            : await client.send('PUT', path, { role: role ?? null });
          const as = remove || told.role === null ? '' : ` as ${shown(told.role)}`;
          print(`${shown(told.ci_name)} uses ${shown(told.credential_name)}${remove ? ' no more' : as}.`);
        }
      }),
    );
}

function rotatedCommand(): Command {
  return new Command('rotated')
    .description('say that there is a new secret: its issue is closed, and the next date counts from then')
    .argument('<name>', 'its name or id')
    .option('--at <when>', 'when that was; now unless given')
    .option('--expires <when>', "when the new one ends; '' for never")
    .option('--due <date>', 'when it has to be rotated next; after its period unless given')
    .option('--item <item>', 'where the new one stands in another item of the vault')
    .option('--note <text>', 'what was done, for the issue')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall credentials rotated "pve token"\n  rollcall credentials rotated "wildcard home.lan" --expires 2027-04-30 --note "renewed by hand"',
    )
    .action(async (name: string, options: Json & { json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const { at, expires, due, item, note: said } = options as Record<string, string | undefined>;
        const words: Json = {
          rotated_at: at,
          expires_at: expires === '' ? null : expires,
          next_rotation_due: due,
          vaultwarden_item_id: item,
          note: said,
        };
        const body = Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined));
        const credential = await client.send('POST', `/credentials/${encodeURIComponent(name)}/rotated`, body);
        if (options.json) return printJson(credential);
        print(`${shown(credential.credential_name)} is rotated: ${dueInWords(credential)}.`);
      }),
    );
}

function putOffCommand(word: 'snooze' | 'waive', what: 'snooze' | 'waiver', description: string): Command {
  return new Command(word)
    .description(description)
    .argument('<name>', 'its name or id')
    .option('--until <when>', 'the last day of it: a date, or a span such as 14d')
    .option('--reason <text>', 'why')
    .option('--by <person>', 'who decided; the token unless given')
    .option('--end', `take the ${what} back`)
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      `\nExamples:\n  rollcall credentials ${word} "pve token" --until 14d --reason "the node is being moved"\n  rollcall credentials ${word} "pve token" --end`,
    )
    .action(async (name: string, options: Record<string, string | undefined> & { json?: string }, self: Command) =>
      withClient(self, async (client) => {
        const { until, reason, by, end, json } = options;
        const path = `/credentials/${encodeURIComponent(name)}/${word}`;
        if (!end && (until === undefined || reason === undefined))
          throw new StartError('Say until when, and why: --until and --reason. --end takes it back.');
        const credential = end
          ? await client.send('DELETE', path)
          : await client.send('POST', path, { until, reason, ...(by === undefined ? {} : { by }) });
        if (json) return printJson(credential);
        const putoff = credential[what] as Json | null;
        const said = what === 'waiver' ? 'waived' : 'snoozed';
        print(
          putoff
            ? `${shown(credential.credential_name)} is ${said} until ${shown(putoff.until)}: ${shown(putoff.reason)}.`
            : `${shown(credential.credential_name)} is ${said} no more: ${dueInWords(credential)}.`,
        );
      }),
    );
}

function dueInWords({ due, days_left }: Json): string {
  if (due === null)
    return 'no day is known on which it is due, so that nobody is reminded; give it a period, a --due or an --expires';
  const days = Number(days_left);
  if (days < 0) return `it was due on ${shown(due)}, ${counted(-days, 'day')} ago`;
  return days === 0 ? `it is due today, ${shown(due)}` : `it is due on ${shown(due)}, in ${counted(days, 'day')}`;
}

function importCommand(): Command {
  return new Command('import')
    .description('record many credentials from a file: YAML, JSON, or CSV with a line of titles')
    .argument('<file>')
    .option('--dry-run', 'say what would be recorded, and record nothing')
    .option('--json', 'the records as JSON')
    .addHelpText(
      'after',
      `
Each entry has the keys of "GET /api/v1/credentials/NAME", or short ones: name, type, owner, item, state, rotated, period,
due, expires, notes, runbook, used_by. In a CSV, several items in used_by have a ; between them: web-1:deploy;web-2.
With a fault in any entry nothing is recorded. An entry whose name and type are known alters that record.

Examples:
  rollcall credentials import credentials.yml --dry-run
  rollcall credentials import credentials.csv`,
    )
    .action(async (file: string, options: { dryRun?: boolean; json?: boolean }, self: Command) =>
      withClient(self, async (client) => importCredentials(client, file, options)),
    );
}

interface Rehearsed {
  has_tracker: boolean;
  has_vault: boolean;
  actions: Json[];
}

function checkCommand(): Command {
  return new Command('check')
    .description('look at all credentials now: what the vault shows, what is due, and the issues that ask for it')
    .option('--dry-run', 'show what would be done, and do nothing')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      '\nExit code: 0 done or already running, 1 failed, 2 done in part: what was left is told.\n\nExamples:\n  rollcall credentials check\n  rollcall credentials check --dry-run',
    )
    .action(async ({ dryRun, json }: { dryRun?: boolean; json?: boolean }, self: Command) =>
      withClient(self, async (client, isAlone) => {
        if (!dryRun) return await runJob(client, checkJob, { json, isAlone });
        const rehearsed = await client.send<Rehearsed>('POST', '/credentials/rehearse');
        if (json) return printJson(rehearsed);
        showRehearsed(rehearsed);
        const due = await client.get<List<Json>>('/credentials/expiring', { limit: 1 });
        print(
          `${counted(due.count, 'credential')} overdue or due within 14 days. Nothing was changed: this was a dry run.`,
        );
      }),
    );
}

function showRehearsed({ has_tracker, has_vault, actions }: Rehearsed): void {
  if (!has_tracker) note('github.repository is not in the settings: no issue would be opened.');
  if (!has_vault) note('vaultwarden is not in the settings: no rotation is seen there.');
  printTable(
    ['CREDENTIAL', 'WOULD', 'ISSUE'],
    actions.map(({ credential_name, action, issue_number }) => [
      credential_name,
      action,
      issue_number === null ? null : `#${shown(issue_number)}`,
    ]),
    'Nothing would be done.',
  );
}
