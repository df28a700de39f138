/** What the commands have in common that do something to one item by hand. */

import type { Command } from 'commander';
import { faultInWords, StartError } from '../errors.ts';
import { type Client, type Json, Refusal } from './client.ts';
import { type Narrow, narrowQuery } from './item.ts';
import { momentOf, shown } from './output.ts';
import { withClient } from './service.ts';

export interface Options extends Narrow {
  reason?: string;
  until?: string;
  json?: boolean;
}

export function withNarrowing(command: Command): Command {
  return command
    .option('--type <type>', 'where several bear the name')
    .option('--site <site>', 'where several bear the name')
    .option('--json', "the service's own answer");
}

/** Does the work on the item of that name; what the service refuses is told under the words of the command. */
export async function onItem(
  self: Command,
  name: string,
  options: Options,
  words: Readonly<Record<string, string>>,
  work: (client: Client, item: Json, path: string) => Promise<void>,
): Promise<void> {
  await withClient(self, async (client) => {
    const item = await client.get(`/ci/${encodeURIComponent(name)}`, narrowQuery(options));
    try {
      await work(client, item, `/ci/${shown(item.ci_id)}`);
    } catch (error) {
      throw error instanceof Refusal && error.faults.length > 0 ? inTheirWords(error, words) : error;
    }
  });
}

/** Another item that is meant; narrowed only where several bear its name. */
export async function findOther(client: Client, name: string, narrow: Narrow): Promise<Json> {
  const path = `/ci/${encodeURIComponent(name)}`;
  try {
    return await client.get(path);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 409) throw error;
    return await client.get(path, narrowQuery(narrow));
  }
}

/** What stands for it in a command that is proposed: its name where that is a plain word, else its id. */
export function wordOf({ ci_id, ci_name }: Json): string {
  return /^\w[\w.:-]*$/.test(shown(ci_name)) ? shown(ci_name) : shown(ci_id);
}

/** So that it can be told from its namesakes. */
export function inFull({ ci_id, ci_name, ci_type, site_id }: Json): string {
  return `${shown(ci_name)} (${shown(ci_type)} in ${shown(site_id)}, ${shown(ci_id)})`;
}

function inTheirWords(refusal: Refusal, words: Readonly<Record<string, string>>): StartError {
  const lines = refusal.faults.map(({ pointer, detail }) => {
    const [, key = ''] = pointer.split('/');
    const word = words[key];
    if (word === undefined) return faultInWords({ pointer, detail });
    // The attribute stands in the sentence already.
    return word === '' ? detail : `${word} ${detail}`;
  });
  return new StartError(['Nothing was changed.', ...lines].join('\n'), { cause: refusal });
}

/** ` until 2026-03-02 12:00`, or nothing. */
export function untilInWords(until: unknown): string {
  return typeof until === 'string' ? ` until ${momentOf(until)}` : '';
}
