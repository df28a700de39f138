/** What was read of clusters, kept over restarts: so that a start reads no more than any other pass. */

import { sql } from 'kysely';
import { withdrawalOf } from '../cmdb/store/sources.ts';
import type { ReadDb, Store, Trx } from '../store/open.ts';
import { insertRows, listed } from '../store/rows.ts';
import { inTurns } from '../store/turn.ts';
import { millisecondsOf, type Stamp, stamp } from '../time.ts';
import { type Contents, type Kind, Knowledge } from './knowledge.ts';

export async function loadKnowledge(db: ReadDb, source: string): Promise<Knowledge> {
  const rows = await db
    .selectFrom('proxmox_readings')
    .select(['subject', 'kind', 'read_at', 'content'])
    .where('source', '=', source)
    .execute();
  const readings = [];
  for await (const part of inTurns(rows))
    for (const { subject, kind, read_at, content } of part) {
      const reading = {
        readAtMilliseconds: millisecondsOf(read_at),
        content: JSON.parse(content) as Contents[Kind],
      };
      readings.push({ subject, kind: kind as Kind, reading });
    }
  return new Knowledge(readings);
}

export async function storeNews(trx: Trx, source: string, known: Knowledge): Promise<void> {
  const { learned, forgotten } = known.news();
  const gone = [...learned, ...forgotten].map(({ subject, kind }) => `${kind} ${subject}`);
  if (gone.length === 0) return;
  await sql`DELETE FROM proxmox_readings WHERE source = ${source} AND kind || ' ' || subject IN ${listed(gone)}`.execute(
    trx,
  );
  for await (const part of inTurns(learned)) {
    const rows = part.map(({ subject, kind, reading: { readAtMilliseconds, content } }) => ({
      source,
      subject,
      kind,
      read_at: stamp(Temporal.Instant.fromEpochMilliseconds(readAtMilliseconds)),
      content: JSON.stringify(content),
    }));
    await insertRows(trx, 'proxmox_readings', rows);
  }
}

/** What was read of these guests, who are gone. */
export async function forgetGuests(trx: Trx, source: string, subjects: readonly string[]): Promise<void> {
  await sql`DELETE FROM proxmox_readings WHERE source = ${source} AND subject IN ${listed(subjects)}`.execute(trx);
}

/** A cluster as it showed itself at the last full reading. */
export interface KnownCluster {
  source: string;
  /** What it calls itself; null for a node that stands alone. */
  own_name: string | null;
  nodes: { name: string; address: string | null }[];
  has_quorum: boolean;
  read_at: string;
}

export async function listClusters(db: ReadDb): Promise<KnownCluster[]> {
  const rows = await db
    .selectFrom('proxmox_clusters')
    .select(['source', 'own_name', 'nodes', 'has_quorum', 'read_at'])
    .orderBy('source')
    .execute();
  return rows.map((row) => ({
    ...row,
    nodes: JSON.parse(row.nodes) as KnownCluster['nodes'],
    has_quorum: row.has_quorum === 1,
  }));
}

/** As it was known; undefined, and all that was read forgotten, where the source was withdrawn since. */
export async function standingCluster(store: Store, source: string): Promise<KnownCluster | undefined> {
  const known = (await listClusters(store.read)).find((one) => one.source === source);
  const withdrawnAt = known && (await withdrawalOf(store.read, source));
  if (!withdrawnAt || withdrawnAt < known.read_at) return known;
  await store.write((trx) => forgetCluster(trx, source));
  return undefined;
}

export async function storeCluster(trx: Trx, cluster: Omit<KnownCluster, 'read_at'>, at: Stamp): Promise<void> {
  await trx.deleteFrom('proxmox_clusters').where('source', '=', cluster.source).execute();
  await trx
    .insertInto('proxmox_clusters')
    .values({
      ...cluster,
      nodes: JSON.stringify(cluster.nodes),
      has_quorum: cluster.has_quorum ? 1 : 0,
      read_at: at,
    })
    .execute();
}

/** Another cluster may come under its name. */
async function forgetCluster(trx: Trx, source: string): Promise<void> {
  await trx.deleteFrom('proxmox_clusters').where('source', '=', source).execute();
  await trx.deleteFrom('proxmox_readings').where('source', '=', source).execute();
}
