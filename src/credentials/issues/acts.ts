/** Does in the tracker what was decided, and keeps each step as it is done. */

import type { RelationshipRules } from '../../cmdb/carrying.ts';
import { type Issue, TrackerError } from '../../github/tracker.ts';
import { stamp } from '../../time.ts';
import { type Credential, type CredentialId, daysUntil, dueOf } from '../credential.ts';
import { hashOf } from './body.ts';
import { early, levelOf, type Need } from './need.ts';
import { type Deed, isStanding, reopening } from './plan.ts';
import { comment, fixedLabels, renewalOf } from './renew.ts';
import { type Begun, settle } from './settle.ts';
import { deleteIssue, type KeptIssue, storeIssue, storeStanding, whereOf } from './store.ts';
import { systemsOf } from './systems.ts';
import { bodyOf, putOffWords, readMarker, reopenedWords, rotatedWords, type Told, titleOf } from './text.ts';
import type { World, WorldParts } from './world.ts';

export interface KeepParts extends WorldParts {
  rules: RelationshipRules;
  /** To whom an owner's issues are given, and others. */
  assignees: (owner: string | null) => readonly string[];
  maxCreates: number;
  /** How long what was sent and not answered is waited for before it is looked for. */
  settleMilliseconds: number;
}

export interface KeepCounts {
  due: number;
  opened: number;
  adopted: number;
  updated: number;
  commented: number;
  reopened: number;
  closed: number;
  /** For a later run, since one opens only so many. */
  waiting: number;
  left: number;
}

export interface Kept {
  counts: KeepCounts;
  /** Sentences about what could not be done, or is not sure. */
  problems: string[];
}

export interface Acts {
  /** Answers whether there may be more to do for this credential. */
  act(credential: Credential, deed: Deed, signal?: AbortSignal): Promise<boolean>;
  /** Whether what is opened can be found again. */
  mayOpen(): boolean;
  /** Looks for what was sent and not answered. */
  settle(signal?: AbortSignal): Promise<void>;
}

export async function toldOf(parts: KeepParts, { credential, policy, due, daysLeft, cycle }: Need): Promise<Told> {
  const systems = await systemsOf(parts.store.read, parts.rules, credential.credential_id);
  return { credential, policy, due, daysLeft, cycle, systems };
}

export function openActs(parts: KeepParts, world: World, kept: Kept): Acts {
  const { store, tracker, clock, assignees } = parts;
  const { counts, problems } = kept;
  const unsure: Begun[] = [];
  let isFindable = true;

  const rowsOf = (id: CredentialId) => world.rows.get(id) ?? [];

  async function remember(row: KeptIssue): Promise<void> {
    await store.write((trx) => (isStanding(row) ? storeStanding(trx, row) : storeIssue(trx, row)));
    const others = rowsOf(row.credential_id).filter(
      (one) => one.cycle !== row.cycle && !(isStanding(row) && isStanding(one)),
    );
    world.rows.set(row.credential_id, [...others, row]);
  }

  async function forget(row: KeptIssue): Promise<void> {
    await store.write((trx) => deleteIssue(trx, row));
    const others = rowsOf(row.credential_id).filter(({ cycle }) => cycle !== row.cycle);
    world.rows.set(row.credential_id, others);
  }

  async function open(need: Need, isReplacement: boolean, signal?: AbortSignal): Promise<void> {
    const { credential, policy, cycle, priority, level } = need;
    const title = titleOf(credential);
    const body = bodyOf(await toldOf(parts, need));
    const intent: KeptIssue = {
      ...blank(credential.credential_id, cycle),
      level_said: level,
      body_hash: hashOf(title, body),
      replaced: isReplacement,
    };
    const former = rowsOf(credential.credential_id).find((row) => isStanding(row) || row.cycle === cycle);
    await remember(intent);
    try {
      const labels = [...fixedLabels, `priority:${priority}`];
      const people = assignees(credential.owner_email ?? policy.owner);
      const { issue, shortcomings, isLabelled } = await tracker.open(
        { title, body, labels, assignees: people },
        signal,
      );
      await remember({ ...intent, ...whereOf(issue), state: 'open', opened_at: intent.tried_at });
      world.issues.set(issue.number, issue);
      counts.opened += 1;
      problems.push(...shortcomings);
      isFindable = isLabelled || world.knowsOwn;
    } catch (error) {
      if (error instanceof TrackerError && error.mayBeDone) {
        unsure.push({ credential, row: intent });
        counts.opened += 1;
      } else if (error instanceof TrackerError) {
        await forget(intent);
        if (former) await remember(former);
      }
      throw error;
    }
  }

  async function adopt({ issue, need, row }: Extract<Deed, { do: 'adopt' }>, credential: Credential): Promise<void> {
    const cycle = row?.cycle ?? readMarker(issue.body)?.cycle ?? need?.cycle ?? 'unknown';
    const created = stamp(Temporal.Instant.from(issue.created_at));
    await remember({
      ...(row ?? { ...blank(credential.credential_id, cycle), level_said: levelThen(issue, need) }),
      ...whereOf(issue),
      state: 'open',
      opened_at: row ? (row.opened_at ?? row.tried_at) : created,
      ended_at: null,
      ended_why: null,
    });
    counts.adopted += 1;
  }

  /** At which it was opened, for nothing is kept of that. */
  function levelThen({ created_at }: Issue, need: Need | undefined): number {
    if (need?.due === undefined || need.credential.lifecycle_state === 'compromised') return early;
    const then = Temporal.Instant.from(created_at).toZonedDateTimeISO(parts.today().timeZone).toPlainDate();
    return levelOf(daysUntil(Temporal.PlainDate.from(need.due), then));
  }

  async function renew({ row, issue, need }: Extract<Deed, { do: 'renew' }>, signal?: AbortSignal): Promise<void> {
    const renewal = renewalOf(row, issue, need, await toldOf(parts, need));
    const { change } = renewal;
    if (Object.keys(change).length > 0) {
      problems.push(...(await tracker.update(issue.number, change, signal)));
      const { title = issue.title, body = issue.body } = change;
      world.issues.set(issue.number, { ...issue, title, body });
      counts.updated += 1;
      if (change.comment) counts.commented += 1;
    }
    if (JSON.stringify(renewal.row) !== JSON.stringify(row)) await remember(renewal.row);
  }

  async function reopen(
    { row, issue, need, isByHand }: Extract<Deed, { do: 'reopen' }>,
    signal?: AbortSignal,
  ): Promise<void> {
    const again =
      need.due === undefined ? 'It is compromised, and has to be rotated.' : `It is due again, on ${need.due}.`;
    const key = `${row.cycle}:reopened:${isByHand ? 'by-hand' : (row.ended_at ?? '')}`;
    const change = { reopen: true, comment: comment(key, isByHand ? reopenedWords : again) };
    // Where it does not come to its end, what stands open then is ours all the same.
    await remember({ ...row, said: reopening });
    problems.push(...(await tracker.update(issue.number, change, signal)));
    world.issues.set(issue.number, { ...issue, state: 'open' });
    await remember({
      ...row,
      state: 'open',
      said: saidOf(row),
      reopened: row.reopened || isByHand,
      // What was done before is not done for it.
      opened_at: isByHand ? row.opened_at : stamp(clock()),
      ended_at: null,
      ended_why: null,
    });
    counts.reopened += 1;
  }

  async function close(
    { row, issue, why, rotation }: Extract<Deed, { do: 'close' }>,
    credential: Credential,
    signal?: AbortSignal,
  ): Promise<void> {
    const due = dueOf(credential, parts.today().timeZone)?.toString();
    const words = {
      rotated: () => (rotation ? rotatedWords(rotation, due, `${tracker.repository}#${issue.number}`) : ''),
      waived: () => (credential.waiver ? putOffWords('Waived', credential.waiver) : ''),
      not_in_use: () => `It is ${credential.lifecycle_state} now, and needs no rotation.`,
      moved: () => (due === undefined ? 'It is due on no date any more.' : `It is due on ${due} now.`),
    }[why]();
    const said = comment(`${row.cycle}:${why}:${rotation?.rotation_id ?? row.opened_at ?? ''}`, words);
    const reason = why === 'rotated' ? 'completed' : 'not_planned';
    problems.push(...(await tracker.close(issue.number, { reason, comment: said }, signal)));
    world.issues.set(issue.number, { ...issue, state: 'closed' });
    await remember({ ...row, state: 'closed', ended_at: stamp(clock()), ended_why: why });
    counts.closed += 1;
  }

  async function note({ row, state, why }: Extract<Deed, { do: 'note' }>, credential: Credential): Promise<void> {
    await remember({ ...row, state, said: saidOf(row), ended_at: stamp(clock()), ended_why: why });
    if (state === 'left')
      problems.push(
        `The issue for ${credential.credential_name} is left as it is, for ${why}: rotate it, snooze it or waive it.`,
      );
  }

  async function merge({ issue, into }: Extract<Deed, { do: 'merge' }>, signal?: AbortSignal): Promise<void> {
    const said = comment(`duplicate:${into}`, `The same is asked for by #${into}.`);
    problems.push(...(await tracker.close(issue.number, { reason: 'duplicate', comment: said }, signal)));
    world.issues.set(issue.number, { ...issue, state: 'closed' });
  }

  function blank(id: CredentialId, cycle: string): KeptIssue {
    return {
      credential_id: id,
      cycle,
      repository: tracker.repository,
      state: 'creating',
      issue_number: null,
      issue_url: null,
      level_said: early,
      said: null,
      body_hash: null,
      reopened: false,
      replaced: false,
      tried_at: stamp(clock()),
      opened_at: null,
      ended_at: null,
      ended_why: null,
    };
  }

  return {
    async act(credential, deed, signal) {
      if (deed.do === 'open') await open(deed.need, deed.isReplacement, signal);
      else if (deed.do === 'adopt') await adopt(deed, credential);
      else if (deed.do === 'renew') await renew(deed, signal);
      else if (deed.do === 'reopen') await reopen(deed, signal);
      else if (deed.do === 'close') await close(deed, credential, signal);
      else if (deed.do === 'note') await note(deed, credential);
      else if (deed.do === 'forget') await forget(deed.row);
      else if (deed.do === 'merge') await merge(deed, signal);
      else
        problems.push(
          `Whether the issue for ${credential.credential_name} was opened is not known yet; the next run sees it, or opens it.`,
        );
      return goesOn.includes(deed.do);
    },
    mayOpen: () => isFindable,
    settle: (signal) => settle({ parts, world, problems, remember }, unsure, signal),
  };
}

/** What was begun has come to its end. */
function saidOf({ said }: KeptIssue): string | null {
  return said === reopening ? null : said;
}

/** What something else may follow from. */
const goesOn: readonly Deed['do'][] = ['adopt', 'reopen', 'close', 'note', 'forget'];
