/** An impact in words: who is affected, as a tree with the reason in each line, and how much in all. */

import { counted, shown, styled } from './output.ts';

export interface Step {
  ci_id: string;
  ci_name: string;
  relationship_type: string;
}

export interface Affected {
  ci_id: string;
  ci_name: string;
  ci_type: string;
  ci_status: string;
  strength: string;
  path: Step[];
}

export interface Impact {
  primary_ci: { ci_id: string; ci_name: string; ci_type: string };
  change_type: string | null;
  directly_affected: Affected[];
  indirectly_affected: Affected[];
  credentials_affected: { credential_id: string; credential_name: string; ci_name: string; role: string | null }[];
  cycles: Step[][];
  truncated: boolean;
}

/** Strongest first. */
export const strengths = ['critical', 'strong', 'weak'] as const;
const colours = { critical: 'red', strong: 'yellow', weak: 'dim' } as const;

export function affectedOf({ directly_affected, indirectly_affected }: Impact): Affected[] {
  return [...directly_affected, ...indirectly_affected];
}

/** Each line: the item, what it is to the one above, and how strong all of that is; `more` is told behind it. */
export function treeLines(impact: Impact, more: (row: Affected) => string = () => ''): string[] {
  const { ci_id, ci_name } = impact.primary_ci;
  const below = new Map<string, Affected[]>();
  const names = new Map<string, string>([[ci_id, ci_name]]);
  for (const row of affectedOf(impact)) {
    names.set(row.ci_id, row.ci_name);
    const above = row.path.at(-2)?.ci_id ?? ci_id;
    const rows = below.get(above);
    if (rows) rows.push(row);
    else below.set(above, [row]);
  }
  const lines: string[] = [];
  const add = (above: string, indent: string): void => {
    const rows = below.get(above) ?? [];
    for (const [at, row] of rows.entries()) {
      const isLast = at === rows.length - 1;
      const because = `${row.path.at(-1)?.relationship_type} ${inLine(names.get(above))}`;
      lines.push(
        `${indent}${isLast ? '└─' : '├─'} ${styled('bold', inLine(row.ci_name))} (${inLine(row.ci_type)}, ${inLine(row.ci_status)}): ${because}, ${strengthShown(row.strength)}${more(row)}`,
      );
      add(row.ci_id, `${indent}${isLast ? '   ' : '│  '}`);
    }
  };
  add(ci_id, '');
  return lines;
}

export function circleLines({ cycles }: Impact): string[] {
  return cycles.map((circle) => {
    const names = circle.map(({ ci_name, relationship_type }) => `${inLine(ci_name)} ${inLine(relationship_type)}`);
    return `In a circle: ${[...names.reverse(), inLine(circle.at(-1)?.ci_name)].join(' ')}`;
  });
}

/** `3 items: 1 critical, 2 strong` */
export function countedAffected(rows: readonly Pick<Affected, 'strength'>[]): string {
  const parts = strengths.flatMap((strength) => {
    const count = rows.filter((row) => row.strength === strength).length;
    return count === 0 ? [] : [`${count} ${strength}`];
  });
  return `${counted(rows.length, 'item')}: ${parts.join(', ')}`;
}

function strengthShown(strength: string): string {
  const known = strengths.find((one) => one === strength);
  return known ? styled(colours[known], known) : inLine(strength);
}

/** Somebody else's name breaks no line. */
export function inLine(value: unknown): string {
  return shown(value).replaceAll(/\s+/g, ' ');
}
