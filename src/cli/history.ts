/** `rollcall history`: what was changed of an item, by whom and for what, the newest first. */

import { Command } from 'commander';
import type { Json } from './client.ts';
import { type Narrow, narrowQuery, relationshipInWords } from './item.ts';
import { note, print, printJson, shown, styled } from './output.ts';
import { withClient } from './service.ts';

export interface Change {
  subject_id: string;
  ci_name: string | null;
  change_no: number;
  changed_at: string;
  action: string;
  source: string;
  actor: string | null;
  change_ref: string | null;
  change_ref_standing: boolean;
  reason: string | null;
  before: Json;
  after: Json;
}

export function historyCommand(): Command {
  return new Command('history')
    .description('what was changed of an item, when, by whom and for what; the newest first')
    .argument('<name>', 'its name or id')
    .option('--type <type>', 'where several bear the name')
    .option('--site <site>', 'where several bear the name')
    .option('--limit <number>', 'at most so many changes', '20')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall history web-1\n  rollcall history web-1 --limit 1000 --json\n\nUndo what a person did: rollcall revert NUMBER\nAs it was at one of these moments: rollcall ci show web-1 --at 2026-03-02T10:00:00Z',
    )
    .action(async (name: string, options: Narrow & { limit: string; json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const path = `/ci/${encodeURIComponent(name)}/changes`;
        const changes = await client.list<Change>(path, narrowQuery(options), Number(options.limit));
        if (options.json) return printJson(changes);
        const { ci_id } = await client.get(`/ci/${encodeURIComponent(name)}`, narrowQuery(options));
        for (const change of changes.items) printChange(change, ci_id);
        if (changes.next !== null)
          note(`${changes.items.length} of ${changes.count} changes are shown; --limit shows more.`);
      }),
    );
}

/** `item` is whose history it is. */
export function printChange(change: Change, item: unknown): void {
  const { changed_at, action, source, actor, change_ref, change_ref_standing, reason, before, after } = change;
  const token = actor !== null && source !== `manual:${actor}` ? ` (token ${shown(actor)})` : '';
  const standing = change_ref_standing ? ' (standing)' : '';
  const reference = change_ref === null ? '' : ` for ${shown(change_ref)}${standing}`;
  const why = reason === null ? '' : `: ${shown(reason)}`;
  // Of an item that was merged into it.
  const whose = change.subject_id === item ? '' : ` of ${shown(change.ci_name)}, ${shown(change.subject_id)},`;
  print(
    `${styled('bold', changed_at)}  #${change.change_no}  ${shown(action)}${whose} by ${shown(source)}${token}${reference}${why}`,
  );
  const isNew = action === 'created';
  const attributes = Object.keys(after).filter((attribute) => !isNew || shown(after[attribute]) !== '-');
  const width = Math.max(0, ...attributes.map((attribute) => shown(attribute).length));
  for (const attribute of attributes.sort()) {
    const words = differenceInWords(attribute, before, after, isNew);
    print(`    ${shown(attribute).padEnd(width)}  ${words}`);
  }
}

const lists = new Set(['tags', 'ansible.groups', 'relationships', 'said.relationships']);

function differenceInWords(attribute: string, before: Json, after: Json, isNew: boolean): string {
  const [was, is] = [before[attribute], after[attribute]];
  if (!lists.has(attribute)) return isNew ? cut(is) : `${cut(toldOf(attribute, was))} → ${cut(toldOf(attribute, is))}`;
  const [former, now] = [listOf(was), listOf(is)];
  if (isNew) return cut(now);
  return [
    ...now.filter((entry) => !former.includes(entry)).map((entry) => `+${cut(entry)}`),
    ...former.filter((entry) => !now.includes(entry)).map((entry) => `-${cut(entry)}`),
  ].join(' ');
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) return [];
  return value.map((entry) => (typeof entry === 'object' ? saidInWords(entry as Json) : (entry as unknown)));
}

/** A relationship, and whose word it is. */
function saidInWords(relationship: Json): string {
  const by = relationship.source === undefined ? '' : ` by ${shown(relationship.source)}`;
  return relationshipInWords(relationship) + by;
}

/** Of a hold and a pin, what a person reads first. */
function toldOf(attribute: string, value: unknown): unknown {
  const isPin = attribute.startsWith('pins.');
  if (!value || (attribute !== 'hold' && !isPin)) return value;
  const { value: pinned, reason, until } = value as Json;
  const why = [reason, ...(until === null ? [] : [`until ${shown(until)}`])].map(shown).join(', ');
  return isPin ? `${shown(pinned)} (${why})` : why;
}

const longest = 100;

function cut(value: unknown): string {
  const letters = Array.from(shown(value).replaceAll(/\s+/g, ' '));
  return letters.length > longest ? `${letters.slice(0, longest - 1).join('')}…` : letters.join('');
}
