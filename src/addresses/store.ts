/** The query of addresses: what each source that still speaks says of each item that lives. */

import { sql } from 'kysely';
import type { ReadDb } from '../store/open.ts';
import { inTurns } from '../store/turn.ts';
import type { AddressClaim } from './addresses.ts';

interface Row extends Omit<AddressClaim, 'addresses' | 'interfaces'> {
  addresses: string | null;
  interfaces: string | null;
}

/** `site` narrows it to one. An operator's `ansible.host` is one of the words, of the item itself. */
export async function listAddressClaims(db: ReadDb, site: string | undefined): Promise<AddressClaim[]> {
  const { rows } = await sql<Row>`
    SELECT i.ci_id, i.ci_name, i.ci_type, i.ci_status, i.site_id, c.source, coalesce(s.seen_at, c.said_at) AS seen_at,
      coalesce(c.said ->> '$.ansible.host', c.said ->> '$.technical_specs.primary_address') AS "primary",
      c.said -> '$.technical_specs.addresses' AS addresses, c.said -> '$.technical_specs.interfaces' AS interfaces
    FROM claims c JOIN configuration_items i ON i.ci_id = c.ci_id LEFT JOIN claim_seen s ON s.claim_id = c.claim_id
    WHERE c.gone_since IS NULL AND c.muted = 0 AND i.deleted_at IS NULL AND i.merged_into IS NULL
      AND i.ci_status <> 'retired' AND (${site ?? null} IS NULL OR i.site_id = ${site ?? null})
      AND (c.said -> '$.technical_specs.primary_address' IS NOT NULL OR c.said -> '$.technical_specs.addresses' IS NOT NULL
        OR c.said -> '$.technical_specs.interfaces' IS NOT NULL OR c.said -> '$.ansible.host' IS NOT NULL)`.execute(db);
  const claims: AddressClaim[] = [];
  for await (const part of inTurns(rows))
    for (const { addresses, interfaces, ...row } of part)
      claims.push({ ...row, addresses: textsIn(addresses), interfaces: interfacesIn(interfaces) });
  return claims;
}

function textsIn(json: string | null): string[] {
  return json === null ? [] : texts(JSON.parse(json));
}

/** As `technical_specs.interfaces` is written; what does not fit is no interface. */
function interfacesIn(json: string | null): AddressClaim['interfaces'] {
  const list: unknown = json === null ? [] : JSON.parse(json);
  if (!Array.isArray(list)) return [];
  return list.flatMap((one: { name?: unknown; addresses?: unknown } | null) =>
    typeof one?.name === 'string' ? [{ name: one.name, addresses: texts(one.addresses) }] : [],
  );
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
