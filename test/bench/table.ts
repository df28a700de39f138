/** What the bench says: one line for each figure, beside its peer and its limit. */

export interface Figure {
  what: string;
  /** What it is held against: a peer that was measured in the same run, or a plain limit. */
  against: string;
  /** The peer's own figure; none where the limit is a plain one. */
  theirs?: string;
  ours: string;
  ratio?: number;
  limit: string;
  /** Left out where the figure is told beside others, and has no limit of its own. */
  isHeld?: boolean;
}

const titles = ['what', 'against', 'theirs', 'ours', 'ratio', 'limit', 'held'];

/** A table in Markdown, lined up for a terminal. */
export function tableOf(figures: readonly Figure[]): string {
  const cells = figures.map(({ what, against, theirs, ours, ratio, limit, isHeld }) => [
    what,
    against,
    theirs ?? '',
    ours,
    ratio === undefined ? '' : ratio.toFixed(ratio < 0.1 ? 4 : 2),
    limit,
    isHeld === undefined ? '' : isHeld ? 'yes' : 'NO',
  ]);
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(titles), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

export function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`;
}
