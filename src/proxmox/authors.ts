/** Who did what differs: the cluster remembers who started which task on a guest. */

import { list, number, object, text } from './answer.ts';
import type { Api } from './client.ts';
import { differing, type Picture } from './picture.ts';
import type { Resources } from './rows.ts';
import { ProxmoxError } from './trouble.ts';
import { numberOf } from './vanished.ts';

/** Tasks that were begun so long before the last reading may have ended after it. */
const taskLeewayMinutes = 10;

/** By guest. Asked for only where its row differs from what this process saw last, or something else of it changed. */
export async function whoDidIt(
  api: Api,
  last: Picture | undefined,
  resources: Resources,
  changed: readonly string[],
): Promise<Map<string, string>> {
  if (!last) return new Map();
  const subjects = new Set([...differing(last, resources), ...changed]);
  if (subjects.size === 0) return new Map();
  try {
    const by = authorsIn(await api.cluster.tasks.$get(), last.at.subtract({ minutes: taskLeewayMinutes }));
    return new Map(
      [...subjects].flatMap((subject) => {
        const author = by.get(numberOf(subject));
        return author === undefined ? [] : [[subject, author] as const];
      }),
    );
  } catch (error) {
    if (error instanceof ProxmoxError && error.kind !== 'auth') return new Map();
    throw error;
  }
}

/** Tasks that only look, or that do not change what the guest is. */
const without = /^(vncproxy|vncshell|spiceproxy|spiceshell|vzdump|qmagent|aptupdate|imgcopy|download)/;

/** By guest number, who did the latest task since then: `alice@pve (qmstart)`. */
export function authorsIn(data: unknown, since: Temporal.Instant): Map<number, string> {
  const found = new Map<number, { at: number; author: string }>();
  for (const entry of list(data)) {
    const task = object(entry);
    const [vmid, at, user, type] = [number(task.id), number(task.starttime), text(task.user), text(task.type)];
    if (vmid === undefined || at === undefined || user === undefined || type === undefined) continue;
    if (at * 1000 < since.epochMilliseconds || without.test(type)) continue;
    const former = found.get(vmid);
    if (!former || at >= former.at) found.set(vmid, { at, author: `${user} (${type})` });
  }
  return new Map([...found].map(([vmid, { author }]) => [vmid, author]));
}
