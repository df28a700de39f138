/**
 * The facts in the parts of a run. What a host says of itself is kept by time, and nothing later is changed by it; so
 * a part that comes late is told as what its run knows by now, less what a later part has told otherwise.
 */

import type { Observation } from '../cmdb/speak.ts';
import type { Trx } from '../store/open.ts';
import { type Heard, heardInFacts } from './facts.ts';
import { gatheringsOfHosts, type KnownRun, storeGatherings, wordNumbers } from './store.ts';
import type { PartBody } from './wire.ts';

/** What one part tells of one host. */
export interface Gathering {
  host: string;
  ci_id: string | undefined;
  /** Of the last result of the host in the part, and when that began. */
  n: number;
  at: string;
  heard: Heard;
}

/** `startOf` reads the time of a result, or of the play. */
export function gatheringsIn(
  body: PartBody,
  kept: ReadonlySet<string>,
  startOf: (text: string) => string,
): Gathering[] {
  if (!body.facts || body.facts.length === 0) return [];
  const last = new Map(body.results.map(({ host, n, started_at }) => [host, { n, started_at }]));
  // Facts that another host gathered for it.
  const elsewhere = { n: body.results.at(-1)?.n ?? 0, started_at: body.started_at };
  const all = new Map<string, { ci_id: string | undefined; facts: Record<string, unknown> }>();
  for (const { host, ci_id, facts } of body.facts) {
    const before = all.get(host);
    all.set(host, { ci_id: ci_id ?? before?.ci_id, facts: { ...before?.facts, ...facts } });
  }
  return [...all].flatMap(([host, { ci_id, facts }]) => {
    const { n, started_at } = last.get(host) ?? elsewhere;
    const at = startOf(started_at);
    const heard = heardInFacts(facts, kept, at);
    return heard ? [{ host, ci_id, n, at, heard }] : [];
  });
}

/** Notes what was gathered, and answers what of it is to be observed. */
export async function noteGatherings(
  trx: Trx,
  { run_no, base_ms }: KnownRun,
  gatherings: readonly Gathering[],
): Promise<Omit<Observation, 'served'>[]> {
  if (gatherings.length === 0) return [];
  const numbers = await wordNumbers(
    trx,
    gatherings.flatMap(({ host, heard }) => [host, namesIn(heard)]),
  );
  const number = (word: string) => numbers.get(word) as number;
  await storeGatherings(
    trx,
    gatherings.map(({ host, n, at, heard }) => ({
      run_no,
      host_no: number(host),
      n,
      at_ms: Date.parse(at) - base_ms,
      facts_no: number(namesIn(heard)),
    })),
  );
  const known = await gatheringsOfHosts(
    trx,
    run_no,
    gatherings.map(({ host }) => number(host)),
  );
  return gatherings.map(({ host, n, heard }) => {
    const all = known.get(number(host)) ?? [];
    const told = (those: typeof all) => new Set(those.flatMap(({ facts }) => facts.split(' ')));
    const [later, ever] = [told(all.filter((other) => other.n > n)), told(all)];
    const { ci_name, technical_specs, ...item } = heard.item;
    const specs = Object.fromEntries(Object.entries(technical_specs ?? {}).filter(([name]) => !later.has(name)));
    // An item needs a name; it is the inventory's until the host says its own.
    const name = ever.has('ci_name') ? (later.has('ci_name') ? undefined : ci_name) : host;
    return {
      key: host,
      item: { ...item, ...(name === undefined ? {} : { ci_name: name }), technical_specs: specs },
      container: heard.container,
      partial: true,
      at: new Date(base_ms + Math.max(...all.map(({ at_ms }) => at_ms))).toISOString(),
    };
  });
}

function namesIn({ item }: Heard): string {
  return [...(item.ci_name === undefined ? [] : ['ci_name']), ...Object.keys(item.technical_specs ?? {})].join(' ');
}
