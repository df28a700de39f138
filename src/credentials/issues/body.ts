/** A body that is written anew day by day, and what people did to it meanwhile. Pure. */

import { createHash } from 'node:crypto';

const tickedForm = /^\s*[-*] \[[xX]\] (.*?)\s*$/gm;
const markerLine = /^<!-- rollcall:credential=.*-->[ \t]*$/m;
/** Lines that are ours in whatever people made of the rest. */
const dueLine = /^\*\*Current Rotation Due:\*\* .*$/m;
const urgencyLine = /^\*\*(?:Medium|High|Critical)\*\*: it .*$/m;

/** The steps that people have ticked. */
export function tickedSteps(body: string): ReadonlySet<string> {
  return new Set([...body.matchAll(tickedForm)].map((match) => match[1] as string));
}

export function withTicks(body: string, ticked: ReadonlySet<string>): string {
  return body.replaceAll(/^- \[ \] (.*)$/gm, (line, step: string) => (ticked.has(step) ? `- [x] ${step}` : line));
}

/** Trackers and browsers end lines in their own way. */
export function isSameText(one: string, other: string): boolean {
  return plain(one) === plain(other);
}

/** Of what we write and people may change: ticks, the marker and what changes by the day are not part of it. */
export function hashOf(title: string, body: string): string {
  const text = plain(body)
    .replaceAll(/^(\s*[-*]) \[[xX]\] /gm, '$1 [ ] ')
    .replace(markerLine, '')
    .replace(dueLine, '')
    .replace(urgencyLine, '')
    .trimEnd();
  return createHash('sha256').update(`${title}\n${text}`).digest('hex').slice(0, 32);
}

/** The words of people, with the date, the urgency and the marker of what would be written now. */
export function withPeoplesWords(body: string, written: string): string {
  let text = plain(body);
  for (const line of [dueLine, urgencyLine]) {
    const now = line.exec(written)?.[0];
    if (now !== undefined) text = text.replace(line, () => now);
  }
  const marker = markerLine.exec(written)?.[0] ?? '';
  return markerLine.test(text) ? text.replace(markerLine, () => marker) : `${text}\n\n${marker}\n`;
}

function plain(body: string): string {
  return body.replaceAll('\r\n', '\n').trimEnd();
}
