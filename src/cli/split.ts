/** `rollcall split`: claims that are of another machine than the item that they are on. */

import { Command } from 'commander';
import { StartError } from '../errors.ts';
import { inFull, type Options, onItem, withNarrowing, wordOf } from './by-hand.ts';
import type { Json } from './client.ts';
import { counted, momentOf, print, printJson, printTable, shown } from './output.ts';

interface Claim {
  claim_id: string;
  source: string;
  native_key: string;
  said: { ci_name?: string };
  seen_at: string | null;
  gone_since: string | null;
}

export function splitCommand(): Command {
  const command = new Command('split')
    .description('say that claims of an item are of another machine; without any, list them')
    .argument('<name>', "the item's name or id")
    .argument('[claims...]', 'by number in that list, by source and key, or by id')
    .option('--reason <text>', 'why, for the history');
  return withNarrowing(command)
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall split web-1\n  rollcall split web-1 2 3 --reason "the file means another one"\n  rollcall split web-1 "import:hosts.yml www"\n\nUndone it is with: rollcall merge NAME OTHER',
    )
    .action(async (name: string, written: string[], options: Options, self: Command) =>
      onItem(self, name, options, { claims: 'they', reason: '--reason' }, async (client, former, path) => {
        const claims = await client.list<Claim>(`${path}/claims`);
        if (written.length === 0) return options.json ? printJson(claims) : printClaims(claims.items, former);
        const parted = claimsNamed(claims.items, written, name);
        const body = { claims: parted.map(({ claim_id }) => claim_id), reason: options.reason };
        const item = await client.send('POST', `${path}/split`, body);
        if (options.json) return printJson(item);
        print(`Split ${counted(parted.length, 'claim')} from ${shown(former.ci_name)}: now of ${inFull(item)}.`);
        print(`"rollcall merge ${shown(former.ci_id)} ${shown(item.ci_id)}" makes them one again.`);
      }),
    );
}

function printClaims(claims: readonly Claim[], item: Json): void {
  printTable(
    ['', 'SOURCE', 'KEY', 'CALLS IT', 'LAST HEARD', 'CLAIM'],
    claims.map(({ claim_id, source, native_key, said, seen_at, gone_since }, index) => [
      String(index + 1),
      source,
      native_key,
      said.ci_name,
      gone_since === null ? seen_at && momentOf(seen_at) : `gone since ${momentOf(gone_since)}`,
      claim_id,
    ]),
    `Nobody says anything of ${shown(item.ci_name)}.`,
  );
  if (claims.length > 1)
    print(`\nThose that are of another machine: rollcall split ${wordOf(item)} NUMBER… --reason "why"`);
}

/** A source and its key may be one word or two. Throws StartError for what is no claim of the item. */
export function claimsNamed<C extends Pick<Claim, 'claim_id' | 'source' | 'native_key'>>(
  claims: readonly C[],
  written: readonly string[],
  name: string,
): C[] {
  const named = new Set<C>();
  const words = [...written];
  while (words.length > 0) {
    const word = words.shift() as string;
    const next = words[0];
    const pair = claims.find(({ source, native_key }) => source === word && native_key === next);
    const found = pair ?? claims.find((claim, index) => isNamed(claim, index, word));
    if (!found)
      throw new StartError(`${name} has no claim ${word}. "rollcall split ${name}" lists its claims, by number.`);
    if (pair) words.shift();
    named.add(found);
  }
  return [...named];
}

function isNamed(
  { claim_id, source, native_key }: Pick<Claim, 'claim_id' | 'source' | 'native_key'>,
  index: number,
  word: string,
) {
  return claim_id === word.toLowerCase() || `${source} ${native_key}` === word || String(index + 1) === word;
}
