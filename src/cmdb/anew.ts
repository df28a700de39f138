/**
 * Items that are merged anew without a statement, because something besides their claims is different: a pin, a hold,
 * the passing of time. Pure.
 */

import type { Difference } from './changes.ts';
import type { Hold, ItemId } from './item.ts';
import type { Change } from './store/changes.ts';
import type { Work } from './work.ts';

export interface Anew {
  ci_id: ItemId;
  source: string;
  /** Said of the change in place of `updated` and the like. */
  action?: string;
  hold?: Hold | null;
  /** What is different and is no attribute, such as a pin: it makes a change even where nothing else does. */
  noted?: Difference;
}

/** Before it is merged. */
export function touchAnew(works: ReadonlyMap<ItemId, Work>, items: readonly Anew[]): void {
  for (const { ci_id, source, hold, noted } of items) {
    const work = works.get(ci_id);
    if (!work) continue;
    work.dirty = true;
    work.visible ||= noted !== undefined;
    if (work.source === '') work.source = source;
    if (hold !== undefined) work.hold = hold;
  }
}

/** After it was merged: the changes, with what was done to these items in its own words. */
export function changesAnew(
  changes: readonly Change[],
  works: ReadonlyMap<ItemId, Work>,
  items: readonly Anew[],
  at: string,
): Change[] {
  const told = new Map(items.map((item) => [item.ci_id as string, item]));
  const described = changes.map((change) => {
    const { action = change.action, noted } = told.get(change.subject_id) ?? {};
    if (change.subject !== 'ci' || !told.delete(change.subject_id)) return change;
    return {
      ...change,
      action,
      before: { ...change.before, ...noted?.before },
      after: { ...change.after, ...noted?.after },
    };
  });
  for (const { ci_id, source, action = 'updated', noted } of told.values()) {
    const item = works.get(ci_id)?.item;
    if (!item || !noted) continue;
    item.updated_at = at;
    described.push({ subject: 'ci', subject_id: ci_id, ci_name: item.ci_name, action, source, ...noted });
  }
  return described;
}
