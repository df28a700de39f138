/** The queries of the issues that ask for a rotation: one row for a credential and a cycle. */

import { sql } from 'kysely';
import type { Issue } from '../../github/tracker.ts';
import type { ReadDb, Trx } from '../../store/open.ts';
import { insertRows } from '../../store/rows.ts';
import type { CredentialId } from '../credential.ts';
import type { ShownIssue } from '../wire.ts';

type Db = ReadDb | Trx;

export interface KeptIssue {
  credential_id: CredentialId;
  /** The due date that it is for. */
  cycle: string;
  repository: string;
  /** `creating`: it may be there or not. `left`: a person closed it twice, or it vanished twice. */
  state: 'creating' | 'open' | 'closed' | 'left';
  issue_number: number | null;
  issue_url: string | null;
  /** The last level that was commented on. */
  level_said: number;
  /** The comment that was begun last, by its marker. */
  said: string | null;
  /** Of the title and the body as they were written last. */
  body_hash: string | null;
  reopened: boolean;
  replaced: boolean;
  tried_at: string;
  opened_at: string | null;
  ended_at: string | null;
  ended_why: string | null;
}

const columns = [
  'credential_id',
  'cycle',
  'repository',
  'state',
  'issue_number',
  'issue_url',
  'level_said',
  'said',
  'body_hash',
  'reopened',
  'replaced',
  'tried_at',
  'opened_at',
  'ended_at',
  'ended_why',
] as const;

export function whereOf({ number, url }: Issue): Pick<KeptIssue, 'issue_number' | 'issue_url'> {
  return { issue_number: number, issue_url: url };
}

/** Those that stand, and those that people have ended in the cycle that goes on. */
export async function listIssues(db: Db): Promise<KeptIssue[]> {
  const rows = await db.selectFrom('credential_issues').select(columns).orderBy('tried_at').orderBy('cycle').execute();
  return rows.map((row) => ({
    ...row,
    credential_id: row.credential_id as CredentialId,
    reopened: row.reopened === 1,
    replaced: row.replaced === 1,
  }));
}

export async function storeIssue(trx: Trx, { reopened, replaced, ...issue }: KeptIssue): Promise<void> {
  const row = { ...issue, reopened: reopened ? 1 : 0, replaced: replaced ? 1 : 0 };
  await insertRows(trx, 'credential_issues', [row], ['credential_id', 'cycle']);
}

/** Whatever else stands for its credential, in this repository or a former one, gives way to it. */
export async function storeStanding(trx: Trx, issue: KeptIssue): Promise<void> {
  await trx
    .deleteFrom('credential_issues')
    .where('credential_id', '=', issue.credential_id)
    .where('cycle', '<>', issue.cycle)
    .where('state', 'in', ['creating', 'open'])
    .execute();
  await storeIssue(trx, issue);
}

export async function deleteIssue(trx: Trx, { credential_id, cycle }: KeptIssue): Promise<void> {
  await trx
    .deleteFrom('credential_issues')
    .where('credential_id', '=', credential_id)
    .where('cycle', '=', cycle)
    .execute();
}

/** The issue that asks for its rotation now, as changes name it; undefined where none does. */
export async function referenceTo(db: Db, credential: CredentialId): Promise<string | undefined> {
  const row = await db
    .selectFrom('credential_issues')
    .select(['repository', 'issue_number'])
    .where('credential_id', '=', credential)
    .where('state', '=', 'open')
    .where('issue_number', 'is not', null)
    .executeTakeFirst();
  return row && `${row.repository}#${row.issue_number}`;
}

/** The one that stands for each credential, or the last one that did. */
export async function shownIssues(db: Db): Promise<Map<string, ShownIssue>> {
  const rows = await db
    .selectFrom('credential_issues')
    .select(['credential_id', 'cycle', 'state', 'issue_number', 'issue_url'])
    .orderBy(sql`state IN ('creating', 'open', 'left')`)
    .orderBy('tried_at')
    .execute();
  return new Map(
    rows.map(({ credential_id, cycle, state, issue_number, issue_url }) => [
      credential_id,
      { number: issue_number, url: issue_url, state, cycle },
    ]),
  );
}
