/** What needs a person: it begins, it ends, and it says what to do. Whoever knows of it begins and ends it. */

import { randomUUIDv7 } from 'node:crypto';
import { sql } from 'kysely';
import type { Stamp } from '../time.ts';
import type { ReadDb, Trx } from './open.ts';
import { insertRows, listed } from './rows.ts';

export interface Alert {
  kind: string;
  subject: string;
  since: string;
  until: string | null;
  what_to_do: string;
}

/**
 * The alerts of one kind that stand now: those not named end, those not yet standing begin,
 * and what is to be done about the others is told anew. With `among`, only these
 * subjects were looked at, and all others stay as they are.
 */
export async function setAlerts(
  trx: Trx,
  kind: string,
  standing: ReadonlyMap<string, string>,
  at: Stamp | string,
  among?: ReadonlySet<string>,
): Promise<void> {
  const open = await trx
    .selectFrom('alerts')
    .select(['alert_id', 'subject', 'what_to_do'])
    .where('kind', '=', kind)
    .where('until', 'is', null)
    .execute();
  const isOver = (subject: string) => !standing.has(subject) && (!among || among.has(subject));
  const ended = open.filter((row) => isOver(row.subject)).map((row) => row.alert_id);
  if (ended.length > 0) {
    await trx
      .updateTable('alerts')
      .set({ until: at })
      .where('alert_id', 'in', sql<string>`${listed(ended)}`)
      .execute();
  }
  for (const { alert_id, subject, what_to_do } of open) {
    const now = standing.get(subject) ?? what_to_do;
    if (now !== what_to_do)
      await trx.updateTable('alerts').set({ what_to_do: now }).where('alert_id', '=', alert_id).execute();
  }
  const known = new Set(open.map((row) => row.subject));
  const begun = [...standing].filter(([subject]) => !known.has(subject));
  await insertRows(
    trx,
    'alerts',
    begun.map(([subject, whatToDo]) => ({
      alert_id: randomUUIDv7(),
      kind,
      subject,
      what_to_do: whatToDo,
      since: at,
      until: null,
    })),
  );
}

/** Standing ones first, then those that ended, newest first; `after` is what the last row of the page before has. */
export async function listAlerts(
  db: ReadDb,
  limit: number,
  after?: readonly [ended: number, since: string, alertId: string],
): Promise<{ count: number; rows: (Alert & { alert_id: string })[] }> {
  const ended = sql<number>`(until IS NOT NULL)`;
  const { count } = await db.selectFrom('alerts').select(sql<number>`count(*)`.as('count')).executeTakeFirstOrThrow();
  const rows = await db
    .selectFrom('alerts')
    .select(['alert_id', 'kind', 'subject', 'since', 'until', 'what_to_do'])
    .$if(after !== undefined, (query) =>
      query.where(
        sql<boolean>`(${ended} > ${after?.[0]} OR (${ended} = ${after?.[0]} AND (since, alert_id) < (${after?.[1]}, ${after?.[2]})))`,
      ),
    )
    .orderBy(ended)
    .orderBy('since', 'desc')
    .orderBy('alert_id', 'desc')
    .limit(limit + 1)
    .execute();
  return { count, rows };
}

/** All that stand now, whatever their kind. */
export async function standingAlerts(db: ReadDb): Promise<Alert[]> {
  return await db
    .selectFrom('alerts')
    .select(['kind', 'subject', 'since', 'until', 'what_to_do'])
    .where('until', 'is', null)
    .orderBy('since')
    .execute();
}

/** The subjects of a kind whose alerts stand now. */
export async function listStanding(db: ReadDb, kind: string): Promise<string[]> {
  const rows = await db
    .selectFrom('alerts')
    .select('subject')
    .where('kind', '=', kind)
    .where('until', 'is', null)
    .execute();
  return rows.map((row) => row.subject);
}
