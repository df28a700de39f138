/** Somebody else's text in Markdown that GitHub and others render. Pure. */

import { printable } from '../printable.ts';

const longest = 60;

/**
 * As code, in which no mention, link, reference or HTML works, on one line and within one cell of a table. What would
 * end the code or the cell is shown as its likeness: to escape it is not the same everywhere.
 */
export function spanned(text: string): string {
  const line = printable(text).replaceAll(/\s+/g, ' ').trim();
  const letters = Array.from(line);
  const cut = letters.length > longest ? `${letters.slice(0, longest - 1).join('')}…` : line;
  return `\`${cut.replaceAll('`', 'ˋ').replaceAll('|', '¦').replaceAll('\\', '⧵') || '-'}\``;
}
