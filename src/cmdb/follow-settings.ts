/**
 * What rollcall.yml says otherwise than when the data were written last: with other ranks every item is merged anew,
 * and with other domains of a site its names mean other things. As changes of the source `config`.
 */

import type { Store, Trx } from '../store/open.ts';
import { inTurns } from '../store/turn.ts';
import { type Clock, stamp } from '../time.ts';
import type { Cmdb } from './cmdb.ts';
import { claimsOn, dirty, forget } from './desk.ts';
import { defaultRanks, sourceKinds } from './kinds.ts';
import { unattended } from './occasion.ts';
import { reconcile } from './reconcile.ts';
import { effectiveSite, type SiteSettings } from './sites.ts';
import type { Heart } from './statement.ts';
import type { Occasion } from './store/changes.ts';
import { claimsAtSite, itemIds, settingSeen, storeSettingSeen } from './store/settings-seen.ts';
import { listSites } from './store/sites.ts';

const configSource = 'config';
const itemsAtOnce = 500;

/** Answers how many items are different now. */
export async function followSettings(cmdb: Cmdb, store: Store, clock: Clock): Promise<{ changed: number }> {
  const occasion = unattended(stamp(clock()));
  return await store.write(async (trx) => {
    let changed = await followDomains(trx, cmdb, occasion);
    const ranks = { kinds: sourceKinds, ranks: { ...defaultRanks, ...cmdb.settings.ranks } };
    if (await isNews(trx, 'ranks', ranks, occasion.at)) changed += await mergeAll(trx, cmdb.heart, occasion);
    return { changed };
  });
}

/** Whether a setting is another one than at the start before. At the very first there is nothing to follow. */
async function isNews(trx: Trx, name: string, value: unknown, at: string): Promise<boolean> {
  const former = await settingSeen(trx, name);
  const text = JSON.stringify(value);
  if (former === text) return false;
  await storeSettingSeen(trx, name, text, at);
  return former !== undefined;
}

async function mergeAll(trx: Trx, heart: Heart, occasion: Occasion): Promise<number> {
  let changed = 0;
  for await (const part of inTurns(await itemIds(trx), itemsAtOnce)) {
    const items = part.map((ci_id) => ({ ci_id, source: configSource }));
    changed += (await reconcile(trx, heart, [], occasion, { items })).changes.length;
  }
  return changed;
}

async function followDomains(trx: Trx, cmdb: Cmdb, occasion: Occasion): Promise<number> {
  const sites = (await listSites(trx)).map((site) => effectiveSite(site, cmdb.settings.sites as SiteSettings));
  const former = JSON.parse((await settingSeen(trx, 'domains')) ?? '{}') as Record<string, string[]>;
  const now = Object.fromEntries(sites.map(({ site_id, domains }) => [site_id, [...domains].sort()]));
  if (!(await isNews(trx, 'domains', now, occasion.at))) return 0;
  let changed = 0;
  for (const { site_id } of sites)
    if (JSON.stringify(former[site_id] ?? []) !== JSON.stringify(now[site_id] ?? []))
      changed += await nameAnew(trx, cmdb.heart, site_id, configSource, occasion);
  return changed;
}

/** A site has other domains: which names mean the same is asked again, of all that is there. */
export async function nameAnew(
  trx: Trx,
  heart: Heart,
  site: string,
  source: string,
  occasion: Occasion,
): Promise<number> {
  let changed = 0;
  const places = await claimsAtSite(trx, site, site === heart.defaultSite);
  for await (const part of inTurns(places, itemsAtOnce)) {
    const wanted = new Set(part.map(({ claim_id }) => claim_id));
    const items = [...new Set(part.flatMap(({ ci_id }) => ci_id ?? []))];
    const decision = {
      items,
      decide: (desk: Parameters<typeof claimsOn>[0]) => {
        for (const id of items) Object.assign(desk.works.get(id) ?? {}, { source });
        const claims = [...claimsOn(desk)].filter(({ claim_id }) => wanted.has(claim_id));
        for (const claim of claims) {
          forget(desk, claim);
          dirty(desk, claim);
        }
        return claims;
      },
    };
    changed += (await reconcile(trx, heart, [], occasion, { decision })).changes.length;
  }
  return changed;
}
