/** What was sent and not answered is looked for a moment later, by its marker. */

import { setTimeout as wait } from 'node:timers/promises';
import { TrackerError } from '../../github/tracker.ts';
import { stamp } from '../../time.ts';
import type { Credential } from '../credential.ts';
import { type KeptIssue, whereOf } from './store.ts';
import { readMarker } from './text.ts';
import type { World, WorldParts } from './world.ts';

/** An issue that may have been opened. */
export interface Begun {
  credential: Credential;
  row: KeptIssue;
}

interface Settling {
  parts: Pick<WorldParts, 'tracker'> & { settleMilliseconds: number };
  world: Pick<World, 'issues'>;
  problems: string[];
  remember: (row: KeptIssue) => Promise<void>;
}

export async function settle(
  { parts, world, problems, remember }: Settling,
  unsure: readonly Begun[],
  signal?: AbortSignal,
): Promise<void> {
  const [first] = unsure;
  if (!first) return;
  await wait(parts.settleMilliseconds, undefined, signal ? { signal } : {});
  const found = new Set<Begun>();
  const begunFor = (body: string) => {
    const marker = readMarker(body);
    return unsure.find(({ row }) => row.credential_id === marker?.credentialId && row.cycle === marker.cycle);
  };
  // The clock of the tracker may be slow.
  const since = stamp(Temporal.Instant.from(first.row.tried_at).subtract({ hours: 24 }));
  try {
    const isWanted = ({ body }: { body: string }) => begunFor(body) !== undefined;
    const { issues } = await parts.tracker.findByMarker({ isWanted, since }, signal);
    for (const issue of issues) {
      const begun = begunFor(issue.body);
      if (!begun || found.has(begun) || world.issues.has(issue.number) || issue.isOurs === false) continue;
      await remember({ ...begun.row, ...whereOf(issue), state: 'open', opened_at: begun.row.tried_at });
      found.add(begun);
    }
  } catch (error) {
    if (!(error instanceof TrackerError)) throw error;
    problems.push(error.message);
  }
  for (const begun of unsure)
    if (!found.has(begun))
      problems.push(
        `Whether the issue for ${begun.credential.credential_name} was opened is not known; the next run sees.`,
      );
}
