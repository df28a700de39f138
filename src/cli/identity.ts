/** `rollcall explain --identity`: what ties the claims of an item together, and what holds it apart from others. */

import { print, printTable, shown } from './output.ts';

export interface Identity {
  ci_id: string;
  ci_name: string;
  ties: { claim: string; with: string; by: string; value?: string; shares?: string[] }[];
  apart: { ci_id: string; ci_name: string; shares: string[]; because: string }[];
  shared: string[];
  questions: { claim: string; conflict_id: string | null }[];
}

export function printIdentity({ ci_id, ci_name, ties, apart, shared, questions }: Identity): void {
  printTable(
    ['CLAIM', 'TIED TO', 'BY'],
    ties.map((tie) => [tie.claim, tie.with === ci_id ? ci_name : tie.with, tieInWords(tie)]),
    `Nobody says anything of ${shown(ci_name)}.`,
  );
  if (apart.length > 0) {
    print('');
    printTable(
      ['IS NOT', 'ID', 'ALTHOUGH BOTH HAVE', 'BECAUSE'],
      apart.map((other) => [other.ci_name, other.ci_id, other.shares, other.because]),
      '',
    );
  }
  if (shared.length > 0) print(`\nSeveral that cannot be one carry it, so it identifies none: ${shown(shared)}.`);
  for (const { claim, conflict_id } of questions) {
    const id = conflict_id === null ? '' : ` ${shown(conflict_id)}`;
    print(`\nOf ${shown(claim)} a person has to say what it speaks of: rollcall conflicts resolve${id}`);
  }
}

const kinds: Readonly<Record<string, string>> = { uuid: 'UUID', mac: 'MAC', machine_id: 'machine-id', fqdn: 'FQDN' };

function tieInWords({ by, value, shares }: Identity['ties'][number]): string {
  const tie = value === undefined ? by : `${kinds[by] ?? by} ${value}`;
  return shares ? `${tie}; it has ${shares.join(', ')} as others here do` : tie;
}
