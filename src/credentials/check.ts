/** One look at all credentials: what the vault shows, what is due, and the issues that ask for it. */

import type { RelationshipRules } from '../cmdb/carrying.ts';
import { DomainError } from '../errors.ts';
import type { Tracker } from '../github/tracker.ts';
import { TrackerError } from '../github/tracker.ts';
import type { JobOutcome } from '../jobs/jobs.ts';
import { setAlerts } from '../store/alerts.ts';
import type { Store } from '../store/open.ts';
import { type Clock, stamp } from '../time.ts';
import { type Vault, VaultError, type VaultItem } from '../vaultwarden/vault.ts';
import { standingAlertsOf } from './alerts.ts';
import type { KeepParts, Kept } from './issues/acts.ts';
import { type Intended, intendIssues, keepIssues } from './issues/keep.ts';
import { followOwnToken } from './own-token.ts';
import type { Records } from './records.ts';
import type { CredentialsSettings } from './settings.ts';
import { readVault } from './vault/read.ts';
import type { Today } from './wire.ts';

/** Where issues are kept, and how; undefined where no tracker is configured. */
export interface Issues {
  tracker: Tracker;
  assignees: (owner: string | null) => readonly string[];
  maxCreates: number;
  /** The vault's item with the tracker's token, where it is there. */
  tokenItem: string | undefined;
}

export interface CheckParts {
  store: Store;
  clock: Clock;
  records: Records;
  settings: CredentialsSettings;
  rules: RelationshipRules;
  today: () => Today;
  vault: { vault: Vault; isWatched: (item: VaultItem) => boolean } | undefined;
  issues: Issues | undefined;
  /** How long what was sent and not answered is waited for. */
  settleMilliseconds?: number;
}

const usualSettleMilliseconds = 3000;

/** Whole: the vault, the issues and the alerts. What could not be looked at does not keep the rest from being done. */
export async function checkCredentials(parts: CheckParts, signal: AbortSignal): Promise<JobOutcome> {
  const problems: string[] = [];
  const counts: Record<string, number> = {};
  if (parts.vault) {
    try {
      const { rotated, unfitting } = await readVault({ ...parts, ...parts.vault }, false, signal);
      Object.assign(counts, { rotated, unfitting });
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      problems.push(`The vault could not be read: ${error.message}`);
    }
  }
  const kept = await keepOrTell(parts, problems, false, signal);
  Object.assign(counts, kept?.counts ?? {});
  await alert(parts);
  return outcomeOf(problems, counts, parts, kept);
}

/** Only what is under way: issues of what was rotated, waived or leaked meanwhile, and such as were begun. */
export async function followCredentials(parts: CheckParts, signal: AbortSignal): Promise<JobOutcome> {
  const problems: string[] = [];
  const kept = await keepOrTell(parts, problems, true, signal);
  await alert(parts);
  return outcomeOf(problems, { ...kept?.counts }, parts, kept);
}

/** What a check would do now. Throws `unavailable` where the vault or the tracker cannot be read. */
export async function rehearseCheck(parts: CheckParts): Promise<Rehearsed> {
  try {
    return await rehearse(parts);
  } catch (error) {
    if (!(error instanceof VaultError || error instanceof TrackerError)) throw error;
    throw new DomainError('unavailable', error.message, { cause: error });
  }
}

async function rehearse(parts: CheckParts): Promise<Rehearsed> {
  const { vault, issues } = parts;
  const read = vault && (await readVault({ ...parts, ...vault }, true));
  const intended = issues ? await issues.tracker.during(() => intendIssues(keepPartsOf(parts, issues))) : [];
  const names = read?.names ?? [];
  return {
    has_tracker: issues !== undefined,
    has_vault: vault !== undefined,
    actions: [
      ...names.map((credential_name) => ({ credential_name, action: 'mark rotated', issue_number: null })),
      ...intended.filter(({ credential_name, action }) => !names.includes(credential_name) || action === 'close'),
    ],
  };
}

export interface Rehearsed {
  has_tracker: boolean;
  has_vault: boolean;
  actions: Intended[];
}

async function keepOrTell(
  parts: CheckParts,
  problems: string[],
  isFollowing: boolean,
  signal: AbortSignal,
): Promise<Kept | undefined> {
  const { issues, store, records, clock } = parts;
  if (!issues) return undefined;
  const { tracker, tokenItem } = issues;
  try {
    const kept = await tracker.during(() => keepIssues(keepPartsOf(parts, issues), isFollowing, signal));
    problems.push(...kept.problems);
    return kept;
  } catch (error) {
    if (!(error instanceof TrackerError)) throw error;
    problems.push(error.message);
    return undefined;
  } finally {
    const told = { called: tracker.called, expiresAt: tracker.tokenExpiresAt(), item: tokenItem };
    await followOwnToken(store, records, told, stamp(clock()));
  }
}

function keepPartsOf(parts: CheckParts, { tracker, assignees, maxCreates }: Issues): KeepParts {
  const { store, clock, today, rules, settleMilliseconds = usualSettleMilliseconds } = parts;
  return { store, tracker, clock, today, rules, assignees, maxCreates, settleMilliseconds };
}

async function alert({ store, clock, today, issues }: CheckParts): Promise<void> {
  const standing = await standingAlertsOf(store.read, today(), issues !== undefined);
  await store.write(async (trx) => {
    for (const [kind, subjects] of standing) await setAlerts(trx, kind, subjects, stamp(clock()));
  });
}

/** Throws `unavailable` where nothing of the issues could be seen to. */
function outcomeOf(
  problems: readonly string[],
  counts: Record<string, number>,
  { issues }: CheckParts,
  kept: Kept | undefined,
): JobOutcome {
  if (issues && !kept) throw new DomainError('unavailable', problems.join(' '));
  if (problems.length === 0) return { outcome: 'good', counts };
  return { outcome: 'partial', why: problems.join(' '), counts };
}
