/**
 * Words of the inventory within somebody's Markdown: they mention nobody, link nothing, hide nothing and end no line. Pure.
 */

/** A value as it is, in a code span, where nothing in it means anything. */
export function codeSpan(value: string, most?: number): string {
  const text = inOneLine(value, most);
  if (text === '') return '-';
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const room = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
  return `${fence}${room}${text}${room}${fence}`;
}

/** Without line ends and what is not to be seen, cut to a length that people read. */
export function inOneLine(value: string, most = 300): string {
  const text = value
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (text.length <= most) return text;
  let kept = '';
  for (const letter of text) {
    if (kept.length + letter.length >= most) break;
    kept += letter;
  }
  return `${kept}…`;
}

/** An address that was checked to begin with http, so that it is a link and nothing else. */
export function link(address: string): string {
  const url = URL.canParse(address) ? new URL(address).href : undefined;
  if (url === undefined) return codeSpan(address);
  return `<${url.replaceAll('<', '%3C').replaceAll('>', '%3E')}>`;
}
