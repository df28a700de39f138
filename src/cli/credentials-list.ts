/** What `rollcall credentials list` and `show` print. */

import { Command, InvalidArgumentError } from 'commander';
import { StartError } from '../errors.ts';
import type { Client, Json } from './client.ts';
import { type Change, printChange } from './history.ts';
import { counted, print, printFields, printJson, printTable, shown, styled } from './output.ts';
import { withClient } from './service.ts';

export function listCommand(): Command {
  return new Command('list')
    .description('all credentials, or what is due')
    .option('--due <days>', 'what is overdue, or due in so many days, most urgent first', daysIn)
    .option('--type <type>', 'of this type')
    .option('--state <state>', 'planned, active, rotating, compromised or retired')
    .option('--owner <owner>', 'whose')
    .option('--vault', 'where the vault and the records do not fit, when it was read last')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall credentials list\n  rollcall credentials list --due 30\n  rollcall credentials list --vault',
    )
    .action(async (options: ListOptions, self: Command) =>
      withClient(self, async (client) => (options.vault ? listVault(client, options) : list(client, options))),
    );
}

export function showCommand(): Command {
  return new Command('show')
    .description('one credential: its dates, its policy and where that stands, who uses it, how it was rotated')
    .argument('<name>', 'its name or id')
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExample:\n  rollcall credentials show "pve token"')
    .action(async (name: string, { json }: { json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const path = `/credentials/${encodeURIComponent(name)}`;
        const told = await client.get<{ credential: Json; policy: Json[]; rotations: Json[] }>(`${path}/explain`);
        const { items } = await client.list(`${path}/associations`);
        if (json) return printJson({ ...told, associations: items });
        showOne(told, items);
      }),
    );
}

export function historyCommand(): Command {
  return new Command('history')
    .description('what was done to a credential: when, by whom, and for which issue; newest first')
    .argument('<name>', 'its name or id')
    .option('--limit <number>', 'how many changes', '20')
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExample:\n  rollcall credentials history "pve token"')
    .action(async (name: string, { limit, json }: { limit: string; json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const path = `/credentials/${encodeURIComponent(name)}`;
        const changes = await client.list<Change>(`${path}/changes`, {}, Number(limit));
        if (json) return printJson(changes);
        const { credential_id } = await client.get(path);
        for (const change of changes.items) printChange(change, credential_id);
      }),
    );
}

interface ListOptions {
  due?: number;
  type?: string;
  state?: string;
  owner?: string;
  vault?: boolean;
  json?: boolean;
}

async function list(client: Client, { due, type, state, owner, json }: ListOptions): Promise<void> {
  if (due !== undefined && (type ?? state ?? owner) !== undefined)
    throw new StartError('--due lists what is due of all; leave --type, --state and --owner out.');
  const page =
    due === undefined
      ? await client.list('/credentials', { credential_type: type, lifecycle_state: state, owner_email: owner })
      : await client.list('/credentials/expiring', { days: due });
  if (json) return printJson(page);
  printTable(
    ['NAME', 'TYPE', 'STATE', 'DUE', 'DAYS LEFT', 'OWNER', 'ISSUE'],
    page.items.map((row) => [
      row.credential_name,
      row.credential_type,
      row.lifecycle_state,
      row.due,
      daysShown(row),
      row.owner_email,
      (row.issue as Json | null)?.url ?? null,
    ]),
    due === undefined ? 'There is no credential.' : `Nothing is due within ${counted(due, 'day')}.`,
  );
}

const colours = { none: 'reset', medium: 'yellow', high: 'red', critical: 'redBright' } as const;

function daysShown({ days_left, urgency, snooze, waiver }: Json): string {
  const days = days_left === null ? '-' : shown(days_left);
  const put = waiver ? ' (waived)' : snooze ? ' (snoozed)' : '';
  return styled(colours[urgency as keyof typeof colours] ?? 'reset', `${days}${put}`);
}

const vaultWords: Readonly<Record<string, string>> = {
  untracked: 'has no record',
  missing: 'is not in the vault',
  ambiguous: 'is the name of several items',
  trashed: 'is in the trash',
  archived: 'is in the archive',
  went_back: 'has a date that went back, as by an import',
  from_the_future: 'has a date that lies ahead',
};

async function listVault(client: Client, { json }: ListOptions): Promise<void> {
  const page = await client.list('/credentials/vault');
  if (json) return printJson(page);
  printTable(
    ['VAULT ITEM', 'WHAT', 'CREDENTIAL', 'SINCE', 'ID'],
    page.items.map(({ kind, item_name, credential_name, since, item_id }) => [
      item_name,
      vaultWords[String(kind)] ?? kind,
      credential_name,
      since,
      item_id,
    ]),
    'Nothing, as far as the vault was read.',
  );
}

function showOne(
  { credential, policy, rotations }: { credential: Json; policy: Json[]; rotations: Json[] },
  users: Json[],
): void {
  const { snooze, waiver, issue, ...plain } = credential;
  printFields([
    ...Object.entries(plain).filter(([, value]) => value !== null),
    ...putoffs({ snooze, waiver }),
    ...(issue ? [['issue', issueInWords(issue as Json)] as const] : []),
  ]);
  print(styled('bold', '\nPolicy'));
  printTable(
    ['SETTING', 'VALUE', 'FROM'],
    policy.map(({ setting, value, from }) => [setting, value, from]),
    '',
  );
  print(styled('bold', '\nUsed by'));
  printTable(
    ['NAME', 'TYPE', 'SITE', 'ROLE'],
    users.map(({ ci_name, ci_type, site_id, role }) => [ci_name, ci_type, site_id, role]),
    'Nothing, as far as is known.',
  );
  print(styled('bold', '\nRotations'));
  printTable(
    ['AT', 'SHOWN BY', 'RECORDED BY', 'NOTE'],
    rotations.map(({ rotated_at, evidence, recorded_by, note: said }) => [rotated_at, evidence, recorded_by, said]),
    'None is known.',
  );
}

function putoffs(both: Json): [string, string][] {
  return Object.entries(both).flatMap(([name, putoff]) => {
    if (!putoff) return [];
    const { until, by, reason } = putoff as Json;
    return [[name, `until ${shown(until)} by ${shown(by)}: ${shown(reason)}`]];
  });
}

function issueInWords({ number, url, state }: Json): string {
  return number === null ? shown(state) : `${shown(url)} (${shown(state)})`;
}

/** A number of days, with or without a d. */
export function daysIn(written: string): number {
  const days = Number(written.replace(/d$/, ''));
  if (Number.isInteger(days) && days >= 0) return days;
  throw new InvalidArgumentError('It is a number of days, such as 90.');
}
