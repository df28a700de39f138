/**
 * What a person says of one relationship of an item, and takes back. It is kept where all else is that this person says
 * of the item: in their claim.
 */

import { invalid } from '../check.ts';
import { DomainError } from '../errors.ts';
import type { Caller } from '../http/endpoint.ts';
import { type Store, type Trx, writeOrRehearse } from '../store/open.ts';
import type { Clock } from '../time.ts';
import type { Cmdb } from './cmdb.ts';
import { type Desk, dirty } from './desk.ts';
import { getLiving } from './hand.ts';
import type { Claim, ItemId, SaidRelationship, SourceRef, Strength } from './item.ts';
import { sourceRef } from './kinds.ts';
import { occasionOf } from './occasion.ts';
import { reconcile } from './reconcile.ts';
import { distinct, type Ends, endOf, folded, targetOf } from './relationship.ts';
import { spokenByToken } from './speak.ts';
import { loadClaims } from './store/claims.ts';
import { listRelationships, loadEnds, type ReadRelationship } from './store/edges.ts';
import { getItem, type ReadItem } from './store/read-items.ts';
import type { Work } from './work.ts';

export interface LinkWords {
  relationship_strength?: Strength | null | undefined;
  note?: string | null | undefined;
}

export interface Unlinked {
  relationship_type: string;
  ci_id: ItemId | null;
  ci_name: string;
  still_said_by: string[];
}

export interface Links {
  /**
   * The other end is an id or a name, which is found as where it is said of the item. Throws `invalid` for an item and
   * itself, `conflict` for a hidden one or where several bear the name, and `not_found`.
   */
  link(id: ItemId, type: string, target: string, words: LinkWords, caller: Caller): Promise<ReadRelationship>;
  /**
   * Takes also a name that was said and that no item bears. Throws `not_found` where nobody says so, and `conflict` where only others do.
   */
  unlink(id: ItemId, type: string, target: string, caller: Caller): Promise<Unlinked>;
}

export function openLinks(cmdb: Cmdb, store: Store, clock: Clock): Links {
  return {
    async link(id, type, target, words, caller) {
      const person = sourceRef('manual', caller.tokenName);
      return await writeOrRehearse(store.write, caller.dryRun, async (trx) => {
        const item = await getLiving(trx, id);
        const other = await getOther(trx, item, target);
        const own = await ownWords(trx, item, person);
        const others = (said: SaidRelationship) => said.relationship_type !== type || own.endOf(said) !== other.ci_id;
        const entry = { relationship_type: type, ...words, ci_id: other.ci_id };
        const speaker = {
          tokenName: caller.tokenName,
          ranks: cmdb.heart.ranks,
          atMilliseconds: clock().epochMilliseconds,
        };
        const body = { relationships: [...saidIn(own.main).filter(others), entry] };
        const { statements } = spokenByToken(body, 0, item.ci_id, false, speaker);
        // A person may have several claims on it since items were merged: what is said last holds for all of them.
        const decide = (desk: Desk) =>
          keepOnly(desk, item.ci_id, person, others, (claim) => claim.claim_id !== own.main?.claim_id);
        await reconcile(trx, cmdb.heart, statements, occasionOf(caller, clock), {
          decision: { items: [item.ci_id], decide },
        });
        const row = (await listRelationships(trx, item.ci_id)).find(
          (one) =>
            one.direction === 'out' &&
            one.relationship_type === type &&
            one.ci_id === other.ci_id &&
            one.source === (person as string),
        );
        return row as ReadRelationship;
      });
    },

    async unlink(id, type, target, caller) {
      const person = sourceRef('manual', caller.tokenName);
      return await writeOrRehearse(store.write, caller.dryRun, async (trx) => {
        const item = await getLiving(trx, id);
        const other = await findOther(trx, item, target);
        const own = await ownWords(trx, item, person);
        const isMeant = (said: SaidRelationship) =>
          said.relationship_type === type &&
          (other ? own.endOf(said) === other.ci_id : targetOf(said) === folded(target));
        const others = (said: SaidRelationship) => !isMeant(said);
        const told = { relationship_type: type, ci_id: other?.ci_id ?? null, ci_name: other?.ci_name ?? target };
        const sayers = async () =>
          (await listRelationships(trx, item.ci_id))
            .filter((one) => one.direction === 'out' && one.relationship_type === type && one.ci_id === other?.ci_id)
            .map(({ source }) => source);
        if (!own.claims.some((claim) => saidIn(claim).some(isMeant)))
          throw notTheirs(
            item,
            told,
            (await sayers()).filter((source) => source !== (person as string)),
          );
        const decide = (desk: Desk) => keepOnly(desk, item.ci_id, person, others);
        // A person's act, which can be undone, though it decides nothing of who is whom.
        const besides = { decision: { items: [item.ci_id], decide }, verdicts: { made: [], ended: [] } };
        await reconcile(trx, cmdb.heart, [], occasionOf(caller, clock), besides);
        return { ...told, still_said_by: await sayers() };
      });
    },
  };
}

interface OwnWords {
  claims: readonly Claim[];
  /** The one that the person's next word goes to. */
  main: Claim | undefined;
  /** The item that is meant in one of these words. */
  endOf(said: SaidRelationship): ItemId | undefined;
}

async function ownWords(trx: Trx, item: ReadItem, person: SourceRef): Promise<OwnWords> {
  const claims = ((await loadClaims(trx, [item.ci_id])).get(item.ci_id) ?? []).filter(
    ({ source }) => source === person,
  );
  const said = claims.flatMap(saidIn);
  const ends: Ends = await loadEnds(
    trx,
    said.flatMap(({ ci_id }) => ci_id ?? []),
    said.flatMap(({ ci_name }) => (ci_name === undefined ? [] : folded(ci_name))),
  );
  return {
    claims,
    main: claims.find((claim) => !claim.gone_since) ?? claims[0],
    endOf: (one) => endOf(one, item, ends, true)?.ci_id,
  };
}

/** What was withdrawn is not said. */
function saidIn(claim: Claim | undefined): readonly SaidRelationship[] {
  return claim && claim.gone_for_good !== 'withdrawn' ? (claim.said.relationships ?? []) : [];
}

/** Takes from the person's claims what does not fit. Who is whom does not hang on it. */
function keepOnly(
  desk: Desk,
  id: ItemId,
  person: SourceRef,
  fits: (said: SaidRelationship) => boolean,
  among: (claim: Claim) => boolean = () => true,
): Claim[] {
  const work = desk.works.get(id) as Work;
  for (const claim of work.claims) {
    const former = claim.said.relationships ?? [];
    const kept = former.filter(fits);
    if (claim.source !== person || !among(claim) || kept.length === former.length) continue;
    const { relationships: _, ...said } = claim.said;
    const { relationships: __, ...since } = claim.since;
    const left = distinct(kept);
    claim.said = left ? { ...said, relationships: left } : said;
    claim.since = left ? { ...since, relationships: desk.at } : since;
    claim.said_at = desk.at;
    claim.hash = '';
    work.source = person;
    dirty(desk, claim);
  }
  return [];
}

type Other = Pick<ReadItem, 'ci_id' | 'ci_name'>;

/** As what the item's claims say is understood; where that is nothing, an item as every call finds it. */
async function getOther(trx: Trx, item: ReadItem, target: string): Promise<Other> {
  const ends = await loadEnds(trx, [target.toLowerCase()], [folded(target)]);
  const plain = { relationship_type: '', relationship_strength: 'strong' } as const;
  const end =
    endOf({ ...plain, ci_id: target.toLowerCase() as ItemId }, item, ends, true) ??
    endOf({ ...plain, ci_name: target }, item, ends, true);
  if (end) return end;
  const other = await getLiving(trx, (await getItem(trx, target)).ci_id);
  if (other.ci_id !== item.ci_id) return other;
  throw invalid('The relationship', [{ pointer: '/target_ci_id', detail: 'is the item itself' }]);
}

async function findOther(trx: Trx, item: ReadItem, target: string): Promise<Other | undefined> {
  try {
    return await getOther(trx, item, target);
  } catch (error) {
    if (error instanceof DomainError && error.code === 'not_found') return undefined;
    throw error;
  }
}

function notTheirs(
  { ci_name }: ReadItem,
  { relationship_type, ci_name: other }: Pick<Unlinked, 'relationship_type' | 'ci_name'>,
  sayers: readonly string[],
): DomainError {
  if (sayers.length === 0)
    return new DomainError('not_found', `Nobody says that ${ci_name} ${relationship_type} ${other}.`);
  return new DomainError(
    'conflict',
    `You did not say that ${ci_name} ${relationship_type} ${other}; ${sayers.join(', ')} ${sayers.length > 1 ? 'do' : 'does'}. It stands until taken back there.`,
    { extra: { said_by: [...sayers] } },
  );
}
