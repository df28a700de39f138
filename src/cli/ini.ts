/** Edits in an INI file as Python reads it, which leave every other line as it stands: comments, order, blanks. Pure. */

export type Lines = readonly string[];

export function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** The value of a key; undefined where it is not set. A value that goes on over lines has them joined by newlines. */
export function valueIn(lines: Lines, section: string, key: string): string | undefined {
  const place = placeOf(lines, section, key);
  if (!place) return undefined;
  const [first, ...others] = lines.slice(place.from, place.to);
  const value = (first as string).replace(keyForm, '');
  return [withoutComment(value), ...others.filter((line) => !isComment(line)).map((line) => withoutComment(line))]
    .map((line) => line.trim())
    .join('\n')
    .trim();
}

/** The lines with that value; the section is made where there is none. */
export function withValue(lines: Lines, section: string, key: string, value: string): string[] {
  const line = `${key} = ${value}`;
  const place = placeOf(lines, section, key);
  if (place) return [...lines.slice(0, place.from), line, ...lines.slice(place.to)];
  const at = headOf(lines, section);
  if (at === undefined) return [...lines, ...(lines.length > 0 ? [''] : []), `[${section}]`, line];
  return [...lines.slice(0, at + 1), line, ...lines.slice(at + 1)];
}

/** The lines without that key, and without its section where nothing else is in it. */
export function withoutKey(lines: Lines, section: string, key: string): string[] {
  const place = placeOf(lines, section, key);
  if (!place) return [...lines];
  const rest = [...lines.slice(0, place.from), ...lines.slice(place.to)];
  const head = headOf(rest, section) as number;
  const end = endOf(rest, head);
  if (rest.slice(head + 1, end).some((line) => line.trim() !== '')) return rest;
  const before = rest.slice(0, head);
  while (before.at(-1) === '') before.pop();
  const after = rest.slice(end);
  return before.length > 0 && after.length > 0 ? [...before, '', ...after] : [...before, ...after];
}

/** What was taken out and put in, line by line, each with a sign; unchanged lines are left out. */
export function changedLines(before: Lines, after: Lines): string[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  if (start === before.length && start === after.length) return [];
  // The edits are few and far between: each is found by the next line that both have.
  for (let distance = 1; distance <= before.length + after.length - 2 * start; distance += 1)
    for (let taken = 0; taken <= distance; taken += 1) {
      const [b, a] = [start + taken, start + distance - taken];
      const meets = b <= before.length && a <= after.length && (before[b] === after[a] || isEnd(before, after, b, a));
      if (!meets) continue;
      const removed = before.slice(start, b).map((line) => `-${line}`);
      const added = after.slice(start, a).map((line) => `+${line}`);
      return [...removed, ...added, ...changedLines(before.slice(b), after.slice(a))];
    }
  return [];
}

function isEnd(before: Lines, after: Lines, b: number, a: number): boolean {
  return b === before.length && a === after.length;
}

const keyForm = /^[^=:]*[=:]/;

function headOf(lines: Lines, section: string): number | undefined {
  const at = lines.findIndex((line) => /^\[([^\]]*)\]/.exec(line)?.[1] === section);
  return at < 0 ? undefined : at;
}

function endOf(lines: Lines, head: number): number {
  const next = lines.findIndex((line, index) => index > head && line.startsWith('['));
  return next < 0 ? lines.length : next;
}

/** A key's line, and those that go on with its value, which are further in. */
function placeOf(lines: Lines, section: string, key: string): { from: number; to: number } | undefined {
  const head = headOf(lines, section);
  if (head === undefined) return undefined;
  const end = endOf(lines, head);
  for (let from = head + 1; from < end; from += 1) {
    const line = lines[from] as string;
    if (isComment(line) || /^\s/.test(line) || !keyForm.test(line)) continue;
    if (
      line
        .replace(/\s*[=:].*$/s, '')
        .trim()
        .toLowerCase() !== key
    )
      continue;
    let to = from + 1;
    while (to < end && /^\s+\S/.test(lines[to] as string)) to += 1;
    return { from, to };
  }
  return undefined;
}

function isComment(line: string): boolean {
  return /^\s*[#;]/.test(line);
}

/** Ansible reads ; after a blank as the start of a comment. */
function withoutComment(value: string): string {
  return value.replace(/\s+;.*$/, '');
}
