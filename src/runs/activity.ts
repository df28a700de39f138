/** How a run went on the items that it reached: what they and the inventory tell of it. Runs in check mode say nothing. */

import type { ItemId } from '../cmdb/item.ts';
import { type Activity, loadActivity, storeActivity } from '../cmdb/store/activity.ts';
import type { Trx } from '../store/open.ts';
import { failingPlaybooks, findRun, type HostOutcome, outcomesOfHosts, storeOutcomes, wordNumbers } from './store.ts';

/**
 * Notes how the run went on its hosts, or on some of them, once all is known that it takes: what was run, how it ended,
 * and which item each host is. Doing so again changes nothing, and an older run does not outdo a newer one.
 */
export async function settleActivity(
  trx: Trx,
  runId: string,
  runNo: number,
  hosts: readonly string[] | undefined,
): Promise<void> {
  const run = await findRun(trx, runId);
  if (!run?.playbook || run.finished_at === null || run.check_mode === 1) return;
  const { playbook, finished_at } = run;
  const numbers = hosts && [...(await wordNumbers(trx, hosts)).values()];
  const ended = await outcomesOfHosts(trx, runNo, numbers);
  if (ended.length === 0) return;
  await storeOutcomes(
    trx,
    ended.map((host) => ({ ci_id: host.ci_id, playbook, run_id: runId, finished_at, outcome: outcomeOf(host) })),
  );
  const ids = ended.map(({ ci_id }) => ci_id);
  const [failing, former] = [await failingPlaybooks(trx, ids), await loadActivity(trx, ids)];
  const news = new Map<ItemId, Partial<Activity>>();
  for (const host of ended)
    news.set(host.ci_id, {
      ...activityAfter(former.get(host.ci_id), host, runId, finished_at),
      failing: failing.get(host.ci_id) ?? 0,
    });
  await storeActivity(trx, news);
}

function outcomeOf({ unreachable, failures, changed }: HostOutcome): NonNullable<Activity['last_run_outcome']> {
  if (unreachable > 0) return 'unreachable';
  if (failures > 0) return 'failed';
  return changed > 0 ? 'changed' : 'ok';
}

function activityAfter(
  former: Activity | undefined,
  host: HostOutcome,
  runId: string,
  finishedAt: string,
): Partial<Activity> {
  const outcome = outcomeOf(host);
  const isLast = (former?.last_run_at ?? '') <= finishedAt;
  const hasConfigured = host.ok > 0 && (outcome === 'ok' || outcome === 'changed');
  const isNewest = hasConfigured && (former?.last_configured_at ?? '') < finishedAt;
  return {
    ...(isLast ? { last_run_at: finishedAt, last_run_id: runId, last_run_outcome: outcome } : {}),
    ...(isNewest ? { last_configured_at: finishedAt, stale_since: null } : {}),
  };
}
