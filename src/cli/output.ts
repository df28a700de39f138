/** What a command prints: tables and sentences for people, JSON for programs. Colours only on a terminal. */

import { styleText } from 'node:util';
import CliTable from 'cli-table3';
import { printable } from '../printable.ts';
import { systemTimeZone } from '../time.ts';

type Style = Parameters<typeof styleText>[0];

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Beside the result, for the one who looks on. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** As NO_COLOR and the terminal allow. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

const widestCell = 60;
const widestLast = 160;

/** Columns under their titles, without lines; a sentence instead where there is nothing. */
export function printTable(titles: readonly string[], rows: readonly (readonly unknown[])[], none: string): void {
  if (rows.length === 0) {
    print(none);
    return;
  }
  const table = new CliTable({
    head: titles.map((title) => styled('bold', title)),
    chars: Object.fromEntries(borders.map((name) => [name, ''])),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const row of rows) table.push(row.map((value, column) => cell(value, column === row.length - 1)));
  print(
    table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n'),
  );
}

const borders =
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle'.split(
    ' ',
  );

function cell(value: unknown, isLast: boolean): string {
  const widest = isLast ? widestLast : widestCell;
  const text = shown(value).replaceAll(/\s+/g, ' ');
  const letters = Array.from(text);
  return letters.length > widest ? `${letters.slice(0, widest - 1).join('')}…` : text;
}

/** A value in words: text as it is, a dash for nothing, lists with commas, and what is deeper as JSON. */
export function shown(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string' || typeof entry === 'number'))
    return value.length === 0 ? '-' : printable(value.join(', '));
  return printable(JSON.stringify(value));
}

/** Names with their values, one a line, in a column. */
export function printFields(fields: readonly (readonly [name: string, value: unknown])[]): void {
  const width = Math.max(...fields.map(([name]) => name.length));
  for (const [name, value] of fields) print(`${styled('bold', name.padEnd(width))}  ${shown(value)}`);
}

/** A moment as the clock on the wall shows it: `2026-03-02 10:00`. */
export function momentOf(stamp: string): string {
  const here = Temporal.Instant.from(stamp).toZonedDateTimeISO(systemTimeZone());
  return here.toPlainDateTime().toString({ smallestUnit: 'minute' }).replace('T', ' ');
}

/** `0.4 s`, `12 s`, `3 min 5 s`, `2 h 4 min`. */
export function spanOf(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `1 machine`, `2 machines`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
