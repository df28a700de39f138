/** What an item is, asked of the rules that decide it: through all examples of who is the same machine, and over HTTP. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Cmdb } from '../../src/cmdb/cmdb.ts';
import { type IdentityOf, identityOf } from '../../src/cmdb/identity-of.ts';
import type { ItemId } from '../../src/cmdb/item.ts';
import type { Store } from '../../src/store/open.ts';
import { stamp } from '../../src/time.ts';
import { type Estate, play } from '../estates/run.ts';

const folder = join(import.meta.dirname, '../estates');
const estates = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Estate);

test.each(estates.map((estate) => [estate.name, estate] as const))(
  '%s: the claims of each item are tied together, and to nothing else',
  async (_name, estate) => {
    let asked = 0;
    const watch = async (store: Store, cmdb: Cmdb, now: Temporal.Instant) => {
      const next = stamp(now.add({ milliseconds: 1 }));
      for (const [id, refs] of await claimsByItem(store)) {
        const identity = await identityOf(store, cmdb.heart, id, next);
        expect({ at: String(now), id, tied: tiedTo(id, identity) }).toEqual({ at: String(now), id, tied: refs });
        for (const other of identity.apart)
          expect(other).toMatchObject({ because: expect.stringMatching(/./) as unknown });
        asked += 1;
      }
    };

    const { faults } = await play(estate, { watch });

    expect(faults).toEqual([]);
    expect(asked).toBeGreaterThan(0);
  },
);

async function claimsByItem({ read }: Store): Promise<Map<ItemId, string[]>> {
  const rows = await read
    .selectFrom('claims')
    .select(['ci_id', 'source', 'native_key'])
    .where('ci_id', 'is not', null)
    .execute();
  const claims = new Map<ItemId, string[]>();
  for (const { ci_id, source, native_key } of rows)
    claims.set(ci_id as ItemId, [...(claims.get(ci_id as ItemId) ?? []), `${source} ${native_key}`].sort());
  return claims;
}

/** All that is reached from the item along its ties. */
function tiedTo(id: string, { ties }: IdentityOf): string[] {
  const reached = new Set([id]);
  for (let before = 0; before < reached.size; ) {
    before = reached.size;
    for (const { claim, with: other } of ties) {
      if (reached.has(claim)) reached.add(other);
      if (reached.has(other)) reached.add(claim);
    }
  }
  return [...reached].filter((ref) => ref !== id).sort();
}
