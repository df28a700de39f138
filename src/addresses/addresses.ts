/** Which addresses are in use, by whom, and who says so. Pure. */

import { isReachable, numberOfIpv4, withoutPrefix } from '../ip.ts';

/** What one source says of one item's addresses. */
export interface AddressClaim {
  ci_id: string;
  ci_name: string;
  ci_type: string;
  ci_status: string;
  site_id: string;
  source: string;
  /** When the source was heard last. */
  seen_at: string;
  primary: string | null;
  addresses: readonly string[];
  interfaces: readonly { name: string; addresses: readonly string[] }[];
}

export interface AddressInUse {
  address: string;
  ci_id: string;
  ci_name: string;
  ci_type: string;
  ci_status: string;
  site_id: string;
  interface: string | null;
  is_primary: boolean;
  /** The one that was heard last of those who say it. */
  source: string;
  said_by: string[];
  seen_at: string;
}

/** A row for each item that has an address, in the order of the addresses. */
export function addressesInUse(claims: Iterable<AddressClaim>): AddressInUse[] {
  const rows = new Map<string, AddressInUse>();
  for (const claim of claims) {
    for (const { address, on } of saidIn(claim)) {
      const key = `${address} ${claim.ci_id}`;
      const row = rows.get(key) ?? newRow(address, claim);
      rows.set(key, row);
      row.interface ??= on;
      row.is_primary ||= claim.primary !== null && withoutPrefix(claim.primary) === address;
      if (!row.said_by.includes(claim.source)) row.said_by.push(claim.source);
      if (claim.seen_at > row.seen_at) Object.assign(row, { source: claim.source, seen_at: claim.seen_at });
    }
  }
  for (const row of rows.values()) row.said_by.sort();
  return [...rows.values()].sort(inOrder);
}

function newRow(address: string, claim: AddressClaim): AddressInUse {
  const { ci_id, ci_name, ci_type, ci_status, site_id, source, seen_at } = claim;
  const item = { ci_id, ci_name, ci_type, ci_status, site_id };
  return { address, ...item, interface: null, is_primary: false, source, said_by: [source], seen_at };
}

function saidIn({ primary, addresses, interfaces }: AddressClaim): { address: string; on: string | null }[] {
  const named = interfaces.flatMap(({ name, addresses: own }) => own.map((address) => ({ address, on: name })));
  const others = [...(primary === null ? [] : [primary]), ...addresses].map((address) => ({ address, on: null }));
  return [...named, ...others]
    .map(({ address, on }) => ({ address: withoutPrefix(address), on }))
    .filter(({ address }) => isReachable(address));
}

/** IPv4 by number, then the others as text; of one address by name. */
function inOrder(a: AddressInUse, b: AddressInUse): number {
  const [first, second] = [numberOfIpv4(a.address), numberOfIpv4(b.address)];
  if (first !== undefined && second !== undefined && first !== second) return first - second;
  if ((first === undefined) !== (second === undefined)) return first === undefined ? 1 : -1;
  return `${a.address} ${a.ci_name} ${a.ci_id}` < `${b.address} ${b.ci_name} ${b.ci_id}` ? -1 : 1;
}

/** Addresses that several items of one site have. Two sites may use the same networks. */
export function duplicatesIn(rows: readonly AddressInUse[]): AddressInUse[] {
  const byPlace = Map.groupBy(rows, ({ address, site_id }) => `${address} ${site_id}`);
  return rows.filter(({ address, site_id }) => (byPlace.get(`${address} ${site_id}`)?.length ?? 0) > 1);
}
