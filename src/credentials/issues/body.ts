/** A body that is written anew day by day, and what people did to it meanwhile. Pure. */

import { createHash } from 'node:crypto';

const tickedForm = /^\s*[-*] \[[xX]\] (.*?)\s*$/gm;
const markerLine = /^<!-- rollcall:credential=.*-->[ \t]*$/m;

/** The steps that people have ticked. */
export function tickedSteps(body: string): ReadonlySet<string> {
  return new Set([...body.matchAll(tickedForm)].map((match) => match[1] as string));
}

export function withTicks(body: string, ticked: ReadonlySet<string>): string {
  return body.replaceAll(/^- \[ \] (.*)$/gm, (line, step: string) => (ticked.has(step) ? `- [x] ${step}` : line));
}

/** Of what we write: ticks, and how lines end, are not part of it. */
export function hashOf(title: string, body: string): string {
  const text = body
    .replaceAll('\r\n', '\n')
    .replaceAll(/^(\s*[-*]) \[[xX]\] /gm, '$1 [ ] ')
    .trimEnd();
  return createHash('sha256').update(`${title}\n${text}`).digest('hex').slice(0, 32);
}

/** The same words of people, under another marker. */
export function withMarker(body: string, marker: string): string {
  const text = body.replaceAll('\r\n', '\n');
  return markerLine.test(text) ? text.replace(markerLine, () => marker) : `${text.trimEnd()}\n\n${marker}\n`;
}
