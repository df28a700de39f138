/** Who did what differs: the cluster remembers who started which task on a guest. Pure. */

import { list, number, object, text } from './answer.ts';

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
