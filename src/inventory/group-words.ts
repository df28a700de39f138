/** What imports say of groups, as a whole: which words of theirs are new, which are gone, and what that changes. */

import { invalid } from '../check.ts';
import { differenceOf } from '../cmdb/changes.ts';
import type { GroupSaid, GroupsTaken, GroupWords } from '../cmdb/group-words.ts';
import { type Change, type Occasion, raiseRevision, storeChanges } from '../cmdb/store/changes.ts';
import type { Trx } from '../store/open.ts';
import { configuredWords, faultIn, type Group, type GroupWord, groupsOf } from './groups.ts';
import type { InventorySettings } from './inventory.ts';
import { deleteGroupWord, listGroupWords, storeGroupWord } from './store.ts';

export function groupWords(settings: Pick<InventorySettings, 'groups'>): GroupWords {
  const configured = configuredWords(settings.groups);

  /** Writes what differs of one source's words, and answers what that changes. */
  async function replace(
    trx: Trx,
    all: readonly GroupWord[],
    { written, gone }: { written: readonly GroupWord[]; gone: readonly GroupWord[] },
    by: string,
    occasion: Occasion,
  ): Promise<{ changes: Change[]; next: Group[] }> {
    const replaced = new Set([...written, ...gone].map(keyOf));
    const next = groupsOf([...configured, ...all.filter((word) => !replaced.has(keyOf(word))), ...written]);
    const before = new Map(groupsOf([...configured, ...all]).map((group) => [group.group_name, group]));
    const after = new Map(next.map((group) => [group.group_name, group]));
    for (const word of gone) await deleteGroupWord(trx, word.group_name, word.source);
    for (const word of written) await storeGroupWord(trx, word, occasion.at);
    const names = [...new Set([...written, ...gone].map((word) => word.group_name))].sort();
    const changes = names.flatMap((name) => changeOf(name, before.get(name), after.get(name), by) ?? []);
    if (changes.length > 0) await storeChanges(trx, changes, await raiseRevision(trx), occasion);
    return { changes, next };
  }

  return {
    async take(trx, source, said, isWhole, occasion): Promise<GroupsTaken> {
      const all = await listGroupWords(trx);
      const own = new Map(all.filter((word) => word.source === source).map((word) => [word.group_name, word]));
      const words = said.map((group) => wordOf(group, source));
      refuseRepeats(said);
      const named = new Set(said.map((group) => group.group_name));
      const { changes, next } = await replace(
        trx,
        all,
        {
          written: words.filter((word) => JSON.stringify(own.get(word.group_name)) !== JSON.stringify(word)),
          gone: isWhole ? [...own.values()].filter((word) => !named.has(word.group_name)) : [],
        },
        source,
        occasion,
      );
      refuseFault(next, said);
      const inForce = new Map(next.map((group) => [group.group_name, group.said_by]));
      const shadowed = words.flatMap((word) =>
        (['vars', 'children'] as const).flatMap((key) => {
          const by = inForce.get(word.group_name)?.[key] ?? source;
          return word[key] === null || by === source ? [] : [{ group_name: word.group_name, key, by }];
        }),
      );
      return { changes, shadowed };
    },

    async withdraw(trx, source, by, occasion) {
      const all = await listGroupWords(trx);
      const gone = all.filter((word) => word.source === source);
      return (await replace(trx, all, { written: [], gone }, by, occasion)).changes;
    },
  };
}

function keyOf({ group_name, source }: GroupWord): string {
  return JSON.stringify([group_name, source]);
}

function wordOf({ group_name, vars, children }: GroupSaid, source: string): GroupWord {
  return { group_name, source, vars: vars ?? null, children: children ?? null, match: null };
}

function changeOf(name: string, before: Group | undefined, after: Group | undefined, by: string): Change | undefined {
  const difference = differenceOf(before && (documentOf(before) as never), documentOf(after) as never);
  if (!difference && before && after) return undefined;
  const action = !before ? 'created' : after ? 'updated' : 'deleted';
  return { subject: 'group', subject_id: name, action, source: by, before: {}, after: {}, ...difference };
}

/** A group of which nobody says anything is as one that has nothing. */
function documentOf(group: Group | undefined) {
  return { vars: group?.vars ?? {}, children: group?.children ?? [], match: group?.match ?? null };
}

function refuseRepeats(said: readonly GroupSaid[]): void {
  const first = new Map<string, number>();
  for (const [index, { group_name }] of said.entries()) {
    const former = first.get(group_name);
    if (former !== undefined)
      throw invalid('The pass', [
        { pointer: `/groups/${index}`, detail: `"${group_name}" is in the reading twice, first as group ${former}` },
      ]);
    first.set(group_name, index);
  }
}

function refuseFault(groups: readonly Group[], said: readonly GroupSaid[]): void {
  const fault = faultIn(groups);
  if (!fault) return;
  const index = said.findIndex(({ group_name }) => group_name === fault.group);
  const key = fault.key === 'name' ? 'group_name' : 'children';
  throw invalid('The pass', [
    {
      pointer: index < 0 ? '/groups' : `/groups/${index}/${key}`,
      detail: `the group ${JSON.stringify(fault.group)}: ${fault.detail}`,
    },
  ]);
}
