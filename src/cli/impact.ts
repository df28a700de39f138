/** `rollcall impact`: what falls when something is done to an item, or when a plan of Terraform is carried out. */

import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { Command, Option } from 'commander';
import { StartError } from '../errors.ts';
import type { Client } from './client.ts';
import { affectedOf, circleLines, countedAffected, type Impact, inLine, strengths, treeLines } from './impact-tree.ts';
import { type Narrow, narrowQuery } from './item.ts';
import { note, print, printJson, styled } from './output.ts';
import { type Plan, readPlan } from './plan-file.ts';
import { impactOfPlan, planLines, planMarkdown, reasonToFail } from './plan-impact.ts';
import { withClient } from './service.ts';

interface Options extends Narrow {
  changeType?: string;
  minStrength?: string;
  plan?: string;
  failOn?: string;
  markdown?: boolean;
  json?: boolean;
}

const help = `
What a change means: reboot, shutdown and destroy take all of a relationship's strength along, and so does any other
word; update at most strong; migrate at most weak, and nothing by connects_to and member_of; rotate_credential nothing
by runs_on and member_of. "GET /api/v1/relationship-types" has the whole table.
Of a plan, what is deleted or replaced is a destroy, what is updated an update. What is retired is not affected.

Examples:
  rollcall impact pve1
  rollcall impact pve1 --change-type reboot --min-strength weak
  rollcall impact --plan plan.json --fail-on critical
  terraform show -json plan.bin | rollcall impact --plan - --markdown

Exit code: 0 done, 1 failed or wrongly called, 2 past --fail-on, or it cannot be told.`;

export function impactCommand(): Command {
  const strength = (flags: string, what: string) => new Option(flags, what).choices([...strengths]);
  return new Command('impact')
    .description('what falls when something is done to an item, or when a Terraform plan is carried out')
    .argument('[name]', 'its name or id')
    .option('--change-type <word>', 'reboot, shutdown, migrate, update, destroy, rotate_credential, or your own word')
    .addOption(strength('--min-strength <strength>', 'by relationships of this strength and more; strong unless told'))
    .option('--plan <file>', 'a plan as "terraform show -json" prints it; - for standard input')
    .addOption(strength('--fail-on <strength>', 'with --plan: exit with 2 where something is affected that strong'))
    .option('--markdown', 'with --plan: as a comment for a pull request')
    .option('--type <type>', 'where several bear the name')
    .option('--site <site>', 'where several bear the name; of a plan, where its things are')
    .option('--json', "the service's own answer")
    .addHelpText('after', help)
    .action(async (name: string | undefined, options: Options, self: Command) => {
      refuseWhatDoesNotFit(name, options);
      const plan = options.plan === undefined ? undefined : await planAt(options.plan);
      await withClient(self, async (client) =>
        plan ? showPlan(client, plan, options) : showItem(client, name as string, options),
      );
    });
}

function refuseWhatDoesNotFit(name: string | undefined, { plan, ...options }: Options): void {
  if (plan === undefined) {
    if (name === undefined) throw new StartError('Name an item, or a plan with --plan.');
    if (options.failOn !== undefined || options.markdown)
      throw new StartError('--fail-on and --markdown are of a --plan.');
    return;
  }
  if (name !== undefined) throw new StartError('Name an item or a plan, and not both.');
  if (options.changeType !== undefined)
    throw new StartError('--change-type is of an item; a plan says what it changes.');
  if (options.json && options.markdown) throw new StartError('Choose --json or --markdown.');
}

async function planAt(path: string): Promise<Plan> {
  if (path === '-') return readPlan(await text(process.stdin), 'What came in');
  try {
    return readPlan(readFileSync(path, 'utf8'), path);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new StartError(code === 'ENOENT' ? `There is no file ${path}.` : `${path}: ${message}.`, { cause: error });
  }
}

async function showItem(client: Client, name: string, options: Options): Promise<void> {
  const { changeType: change_type, minStrength: min_strength } = options;
  const query = { ...narrowQuery(options), change_type, min_strength };
  const impact = await client.get<Impact>(`/ci/${encodeURIComponent(name)}/impact`, query);
  if (options.json) return printJson(impact);
  const { ci_name, ci_type } = impact.primary_ci;
  const rows = affectedOf(impact);
  print(
    `${styled('bold', inLine(ci_name))} (${inLine(ci_type)})${change_type === undefined ? '' : `: ${inLine(change_type)}`}`,
  );
  for (const line of [...treeLines(impact), ...circleLines(impact)]) print(line);
  print(rows.length === 0 ? 'Nothing is affected, as far as is known.' : `\nAffected are ${countedAffected(rows)}.`);
  if (impact.truncated) print('More is affected than is shown.');
  for (const line of credentialLines(impact)) print(line);
}

/** `pve token, which web-1 uses as deploy` */
function credentialLines({ credentials_affected: rows }: Impact): string[] {
  const byName = Map.groupBy(rows, ({ credential_id }) => credential_id);
  const lines = Array.from(byName.values(), (users) => {
    const names = users.map(({ ci_name, role }) => `${inLine(ci_name)}${role === null ? '' : ` (${inLine(role)})`}`);
    return `  ${inLine(users[0]?.credential_name ?? '')}: ${names.join(', ')}`;
  });
  return lines.length === 0 ? [] : ['\nIts credentials that others use as well:', ...lines];
}

async function showPlan(client: Client, plan: Plan, options: Options): Promise<void> {
  const { failOn, site } = options;
  const minStrength = weakerOf(options.minStrength ?? 'strong', failOn ?? 'critical');
  const impact = await impactOfPlan(client, plan, { minStrength, site });
  const failed = failOn === undefined ? undefined : reasonToFail(impact, failOn);
  if (failed !== undefined) process.exitCode = 2;
  if (options.json) return printJson(impact);
  if (options.markdown) return print(planMarkdown(impact, failed));
  for (const line of planLines(impact)) print(line);
  if (failed !== undefined) note(`The plan does not pass --fail-on ${failOn}: ${failed}.`);
}

/** What a plan may fail for has to be asked for. */
function weakerOf(a: string, b: string): string | undefined {
  return strengths.findLast((strength) => strength === a || strength === b);
}
