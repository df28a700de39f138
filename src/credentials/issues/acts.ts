/** Does in the tracker what was decided, and keeps each step as it is done. */

import { setTimeout as wait } from 'node:timers/promises';
import { type Comment, type Issue, type IssueChange, TrackerError } from '../../github/tracker.ts';
import { stamp } from '../../time.ts';
import type { Credential, CredentialId } from '../credential.ts';
import { dueOf } from '../credential.ts';
import { hashOf, tickedSteps, withMarker, withTicks } from './body.ts';
import type { KeepParts, Kept } from './keep.ts';
import type { Need } from './need.ts';
import type { Deed } from './plan.ts';
import { deleteIssue, type KeptIssue, storeIssue } from './store.ts';
import { systemsOf } from './systems.ts';
import {
  bodyOf,
  escalation,
  markerOf,
  putOffWords,
  readMarker,
  reopenedWords,
  rotatedWords,
  type Told,
  titleOf,
} from './text.ts';

export interface Acts {
  /** Answers whether there may be more to do for this credential. */
  act(credential: Credential, deed: Deed, signal?: AbortSignal): Promise<boolean>;
  /** Whether what is opened can be found again. */
  mayOpen(): boolean;
  /** Looks for what was sent and not answered. */
  settle(signal?: AbortSignal): Promise<void>;
}

interface Remembered {
  rows: Map<CredentialId, KeptIssue[]>;
  issues: Map<number, Issue>;
}

const priorities = ['priority:medium', 'priority:high', 'priority:critical'] as const;

export function openActs(parts: KeepParts, world: Remembered, kept: Kept): Acts {
  const { store, tracker, clock, rules, assignees } = parts;
  const { counts, problems } = kept;
  const unsure = new Map<CredentialId, { credential: Credential; row: KeptIssue }>();
  let isFindable = true;

  async function remember(row: KeptIssue, former?: KeptIssue): Promise<void> {
    await store.write(async (trx) => {
      if (former && former.cycle !== row.cycle) await deleteIssue(trx, former);
      await storeIssue(trx, row);
    });
    const list = world.rows.get(row.credential_id) ?? [];
    const others = list.filter(({ cycle }) => cycle !== row.cycle && cycle !== former?.cycle);
    world.rows.set(row.credential_id, [...others, row]);
  }

  async function forget(row: KeptIssue): Promise<void> {
    await store.write((trx) => deleteIssue(trx, row));
    world.rows.set(
      row.credential_id,
      (world.rows.get(row.credential_id) ?? []).filter(({ cycle }) => cycle !== row.cycle),
    );
  }

  async function toldOf({ credential, policy, due, daysLeft, cycle }: Need): Promise<Told> {
    const systems = await systemsOf(store.read, rules, credential.credential_id);
    return { credential, policy, due, daysLeft, cycle, systems };
  }

  async function open(need: Need, isReplacement: boolean, signal?: AbortSignal): Promise<boolean> {
    const { credential, policy, cycle, priority, level } = need;
    const id = credential.credential_id;
    const title = titleOf(credential);
    const body = bodyOf(await toldOf(need));
    const intent: KeptIssue = {
      credential_id: id,
      cycle,
      repository: tracker.repository,
      state: 'creating',
      issue_number: null,
      issue_url: null,
      level_said: level,
      said: null,
      body_hash: hashOf(title, body),
      reopened: false,
      replaced: isReplacement,
      tried_at: stamp(clock()),
      opened_at: null,
      ended_at: null,
      ended_why: null,
    };
    const former = (world.rows.get(id) ?? []).find(({ state }) => state === 'creating' || state === 'open');
    await remember(intent, former);
    try {
      const draft = {
        title,
        body,
        labels: ['credential-rotation', 'domain:security', `priority:${priority}`],
        assignees: assignees(credential.owner_email ?? policy.owner),
      };
      const { issue, shortcomings, isLabelled } = await tracker.open(draft, signal);
      await remember({ ...intent, ...whereOf(issue), state: 'open', opened_at: intent.tried_at });
      world.issues.set(issue.number, issue);
      counts.opened += 1;
      problems.push(...shortcomings);
      isFindable = isLabelled || issue.isOurs === true;
      return false;
    } catch (error) {
      if (error instanceof TrackerError && error.mayBeDone) {
        unsure.set(id, { credential, row: intent });
        counts.opened += 1;
      } else if (error instanceof TrackerError) await forget(intent);
      throw error;
    }
  }

  async function renew(row: KeptIssue, issue: Issue, need: Need, signal?: AbortSignal): Promise<boolean> {
    const told = await toldOf(need);
    const title = titleOf(need.credential);
    const written = bodyOf(told);
    const now = hashOf(issue.title, issue.body);
    const isTouched = row.body_hash !== null && row.body_hash !== now;
    const marker = markerOf(need.credential.credential_id, need.cycle);
    const isMarked = readMarker(issue.body)?.cycle === need.cycle;
    const change: IssueChange = {};
    if (!isTouched) {
      if (issue.title !== title) change.title = title;
      if (hashOf(title, written) !== now) change.body = withTicks(written, tickedSteps(issue.body));
    } else if (!isMarked) change.body = withMarker(issue.body, marker);
    const isEscalated = need.level < row.level_said && !need.isSnoozed;
    if (need.level !== row.level_said && !need.isSnoozed) Object.assign(change, labelsFor(issue, need));
    const { snooze } = need.credential;
    const snoozed = need.isSnoozed && snooze ? `snoozed:${snooze.until}` : null;
    if (isEscalated) change.comment = comment(`${need.cycle}:${need.level}`, escalation(told));
    else if (snoozed !== null && row.said !== snoozed && snooze)
      change.comment = comment(snoozed, putOffWords('Snoozed', snooze));
    if (Object.keys(change).length > 0) {
      problems.push(...(await tracker.update(issue.number, change, signal)));
      world.issues.set(issue.number, { ...issue, ...textOf(change) });
      counts.updated += 1;
      if (change.comment) counts.commented += 1;
    }
    const body_hash = isTouched ? hashOf(issue.title, change.body ?? issue.body) : hashOf(title, written);
    const renewed: KeptIssue = {
      ...row,
      ...whereOf(issue),
      cycle: need.cycle,
      state: 'open',
      level_said: need.isSnoozed ? row.level_said : need.level,
      said: snoozed ?? row.said,
      // What people wrote stays theirs.
      body_hash: isTouched ? row.body_hash : body_hash,
      ended_at: null,
      ended_why: null,
    };
    if (JSON.stringify(renewed) !== JSON.stringify(row)) await remember(renewed, row);
    return false;
  }

  async function close(
    { row, issue, why, rotation }: Extract<Deed, { do: 'close' }>,
    credential: Credential,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const due = dueOf(credential, parts.today().timeZone)?.toString();
    const words = {
      rotated: () => (rotation ? rotatedWords(rotation, due) : ''),
      waived: () => (credential.waiver ? putOffWords('Waived', credential.waiver) : ''),
      not_in_use: () => `It is ${credential.lifecycle_state} now, and needs no rotation.`,
      moved: () => (due === undefined ? 'It is due on no date any more.' : `It is due on ${due} now.`),
    }[why]();
    const reason = why === 'rotated' ? 'completed' : 'not_planned';
    const key = `${row.cycle}:${why}:${rotation?.rotation_id ?? due ?? ''}`;
    problems.push(...(await tracker.close(issue.number, { reason, comment: comment(key, words) }, signal)));
    world.issues.set(issue.number, { ...issue, state: 'closed' });
    await remember({ ...row, state: 'closed', ended_at: stamp(clock()), ended_why: why });
    counts.closed += 1;
    return true;
  }

  return {
    async act(credential, deed, signal) {
      switch (deed.do) {
        case 'open':
          return await open(deed.need, deed.isReplacement, signal);
        case 'wait':
          problems.push(
            `Whether the issue for ${credential.credential_name} was opened is not known yet; the next run sees it, or opens it.`,
          );
          return false;
        case 'adopt':
          await adopt(credential, deed);
          return true;
        case 'renew':
          return await renew(deed.row, deed.issue, deed.need, signal);
        case 'reopen': {
          const { row, issue, need, isByHand } = deed;
          const words = isByHand ? reopenedWords : `It is due again, on ${need.due ?? 'no date'}.`;
          const key = `${need.cycle}:reopened:${isByHand ? 'by-hand' : (row.ended_at ?? '')}`;
          const change = { reopen: true, comment: comment(key, words) };
          problems.push(...(await tracker.update(issue.number, change, signal)));
          world.issues.set(issue.number, { ...issue, state: 'open' });
          await remember({
            ...row,
            state: 'open',
            reopened: row.reopened || isByHand,
            ended_at: null,
            ended_why: null,
          });
          counts.reopened += 1;
          return true;
        }
        case 'close':
          return await close(deed, credential, signal);
        case 'note': {
          const { row, state, why } = deed;
          await remember({ ...row, state, ended_at: stamp(clock()), ended_why: why });
          if (state === 'left')
            problems.push(
              `The issue for ${credential.credential_name} is left as it is, for ${why}: rotate it, snooze it or waive it.`,
            );
          return true;
        }
        case 'forget':
          await forget(deed.row);
          return true;
        case 'merge': {
          const { issue, into } = deed;
          const said = comment(`duplicate:${into}`, `The same is asked for by #${into}.`);
          problems.push(...(await tracker.close(issue.number, { reason: 'duplicate', comment: said }, signal)));
          world.issues.set(issue.number, { ...issue, state: 'closed' });
          return false;
        }
      }
    },
    mayOpen: () => isFindable,
    async settle(signal) {
      if (unsure.size === 0) return;
      await wait(parts.settleMilliseconds, undefined, signal ? { signal } : {});
      const tried = [...unsure.values()].map(({ row }) => row.tried_at).sort()[0] as string;
      const since = stamp(Temporal.Instant.from(tried).subtract({ hours: 24 }));
      try {
        const isWanted = ({ body }: Issue) => unsure.has((readMarker(body)?.credentialId ?? '') as CredentialId);
        const { issues } = await tracker.findByMarker({ isWanted, since }, signal);
        for (const issue of issues) {
          const marker = readMarker(issue.body);
          const one = unsure.get((marker?.credentialId ?? '') as CredentialId);
          const isNew = !world.issues.has(issue.number);
          if (!one || !isNew || marker?.cycle !== one.row.cycle || issue.isOurs === false) continue;
          await remember({ ...one.row, ...whereOf(issue), state: 'open', opened_at: one.row.tried_at });
          unsure.delete(one.credential.credential_id);
        }
      } catch (error) {
        if (!(error instanceof TrackerError)) throw error;
        problems.push(error.message);
      }
      for (const { credential } of unsure.values())
        problems.push(
          `Whether the issue for ${credential.credential_name} was opened is not known; the next run sees.`,
        );
    },
  };

  async function adopt(credential: Credential, { issue, need, level }: Extract<Deed, { do: 'adopt' }>): Promise<void> {
    const id = credential.credential_id;
    const former = (world.rows.get(id) ?? []).find(({ state }) => state === 'creating');
    const cycle = former?.cycle ?? readMarker(issue.body)?.cycle ?? need?.cycle ?? 'unknown';
    await remember(
      {
        ...(former ?? {
          credential_id: id,
          cycle,
          repository: tracker.repository,
          said: null,
          body_hash: null,
          reopened: false,
          replaced: false,
          tried_at: stamp(clock()),
        }),
        ...whereOf(issue),
        state: 'open',
        level_said: level,
        opened_at: former?.tried_at ?? stamp(Temporal.Instant.from(issue.created_at)),
        ended_at: null,
        ended_why: null,
      },
      former,
    );
    counts.adopted += 1;
  }
}

function whereOf({ number, url }: Issue): Pick<KeptIssue, 'issue_number' | 'issue_url'> {
  return { issue_number: number, issue_url: url };
}

function textOf({ title, body }: IssueChange): Partial<Pick<Issue, 'title' | 'body'>> {
  return { ...(title === undefined ? {} : { title }), ...(body === undefined ? {} : { body }) };
}

function labelsFor({ labels }: Issue, { priority }: Need): IssueChange {
  const has = (name: string) => labels.some((label) => label.toLowerCase() === name);
  const wanted = ['credential-rotation', 'domain:security', `priority:${priority}`].filter((name) => !has(name));
  const unwanted = priorities.filter((name) => name !== `priority:${priority}` && has(name));
  return {
    ...(wanted.length > 0 ? { addLabels: wanted } : {}),
    ...(unwanted.length > 0 ? { removeLabels: unwanted } : {}),
  };
}

/** Made once, however often it is tried. */
function comment(key: string, words: string): Comment {
  const marker = `<!-- rollcall:said=${key.replaceAll(/[^\w:.-]/g, '-')} -->`;
  return { marker, body: `${words}\n\n${marker}\n`, mayBeThere: true };
}
