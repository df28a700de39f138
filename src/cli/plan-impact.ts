/** What a plan would take down: asked of the service, and told in a terminal, in Markdown or as JSON. */

import type { Client } from './client.ts';
import {
  type Affected,
  affectedOf,
  circleLines,
  countedAffected,
  type Impact,
  inLine,
  strengths,
  treeLines,
} from './impact-tree.ts';
import { spanned } from './markdown.ts';
import { styled } from './output.ts';
import type { Plan, PlannedAction, PlannedChange } from './plan-file.ts';

interface Candidate {
  ci_id: string;
  ci_name: string;
  ci_type: string;
  ci_status: string;
  site_id: string;
}

interface Match {
  ci: Candidate | null;
  by: string | null;
  candidates: Candidate[];
}

interface Told {
  action: PlannedAction;
  address: string;
  ci: Candidate;
  impact: Impact;
}

export interface PlanImpact {
  changes: Told[];
  /** Resources that no item is known for. */
  unknown: string[];
  ambiguous: { address: string; candidates: Candidate[] }[];
  isWhole: boolean;
  notes: string[];
  /** What is affected and not itself taken away or replaced by the plan, each once, the strongest first. */
  affected: (Omit<Affected, 'path'> & {
    because: Pick<Told, 'action' | 'address'> & { ci_name: string; path: Affected['path'] };
  })[];
  truncated: boolean;
}

/** A replacement is a while without it; what is updated may restart. */
const changeTypes = { delete: 'destroy', replace: 'destroy', update: 'update' } as const satisfies Record<
  PlannedAction,
  string
>;

export async function impactOfPlan(
  client: Client,
  { changes, isWhole, notes }: Plan,
  { minStrength, site }: { minStrength: string | undefined; site: string | undefined },
): Promise<PlanImpact> {
  const things = changes.map(({ thing }) => ({ ...thing, site_id: site }));
  const { results } = await client.send<{ results: Match[] }>('POST', '/ci/match', { things });
  const told: Told[] = [];
  const unknown: string[] = [];
  const ambiguous: PlanImpact['ambiguous'] = [];
  for (const [index, { action, address }] of changes.entries()) {
    const { ci, candidates } = results[index] as Match;
    if (ci) {
      const query = { change_type: changeTypes[action], min_strength: minStrength };
      told.push({ action, address, ci, impact: await client.get<Impact>(`/ci/${ci.ci_id}/impact`, query) });
    } else if (candidates.length > 0) ambiguous.push({ address, candidates });
    else unknown.push(address);
  }
  told.sort((a, b) => weightOf(a.action) - weightOf(b.action));
  return {
    changes: told,
    unknown,
    ambiguous,
    isWhole,
    notes,
    affected: affectedBy(told),
    truncated: told.some(({ impact }) => impact.truncated),
  };
}

const weightOf = (action: PlannedChange['action']) => Object.keys(changeTypes).indexOf(action);

function affectedBy(told: readonly Told[]): PlanImpact['affected'] {
  const meant = takenDown(told);
  const byId = new Map<string, PlanImpact['affected'][number]>();
  for (const { action, address, ci, impact } of told)
    for (const { path, ...row } of affectedOf(impact)) {
      const former = byId.get(row.ci_id);
      if (meant.has(row.ci_id) || (former && rankOf(former) <= rankOf(row))) continue;
      byId.set(row.ci_id, { ...row, because: { action, address, ci_name: ci.ci_name, path } });
    }
  return [...byId.values()].sort((a, b) => rankOf(a) - rankOf(b));
}

/** What the plan takes away or replaces is meant to go. */
function takenDown(told: readonly Told[]): Map<string, PlannedAction> {
  return new Map(told.flatMap(({ action, ci }) => (action === 'update' ? [] : [[ci.ci_id, action]])));
}

function rankOf({ strength }: Pick<Affected, 'strength'>): number {
  return (strengths as readonly string[]).indexOf(strength);
}

/**
 * Why the plan does not pass: something is affected that strong or more, or it cannot be told whether anything is.
 * Undefined where it passes.
 */
export function reasonToFail(
  { affected, ambiguous, truncated, isWhole }: PlanImpact,
  failOn: string,
): string | undefined {
  const past = affected.filter((row) => rankOf(row) <= rankOf({ strength: failOn }));
  if (past.length > 0) return `it affects ${countedAffected(past)}`;
  if (ambiguous.length > 0)
    return 'some of its resources could be several items, so that nobody knows what they affect';
  if (truncated) return 'more is affected than can be told';
  return isWhole ? undefined : 'the plan is not whole';
}

export function planLines({ changes, unknown, ambiguous, notes, affected, truncated }: PlanImpact): string[] {
  const meant = takenDown(changes);
  const ends = { delete: 'deleted', replace: 'replaced', update: '' };
  const more = ({ ci_id }: Affected) => {
    const action = meant.get(ci_id);
    return action ? ` (${ends[action]} by this plan itself)` : '';
  };
  const lines = changes.flatMap(({ action, address, ci, impact }) => {
    const rows = treeLines(impact, more);
    const item = `${inLine(ci.ci_name)} (${inLine(ci.ci_type)}, ${inLine(ci.ci_status)})`;
    return [
      `${styled(action === 'update' ? 'yellow' : 'red', action)} ${inLine(address)}: ${styled('bold', item)}`,
      ...(rows.length > 0 ? rows : ['   affects nothing']),
      ...circleLines(impact),
      '',
    ];
  });
  lines.push(
    affected.length === 0
      ? 'Nothing else is affected, as far as is known.'
      : `Affected are ${countedAffected(affected)}.`,
  );
  if (truncated) lines.push('More is affected than is shown.');
  for (const { address, candidates } of ambiguous)
    lines.push(
      `${inLine(address)} could be ${candidates.map((one) => `${inLine(one.ci_name)} in ${inLine(one.site_id)} (${one.ci_id})`).join(' or ')}: --site narrows it.`,
    );
  if (unknown.length > 0) lines.push(`No item is known for: ${unknown.map(inLine).join(', ')}`);
  return [...lines, ...notes];
}

const mostRows = 150;
const mostNames = 30;

/** A comment for a pull request: names are shown as they are, and do nothing there. */
export function planMarkdown(impact: PlanImpact, failed: string | undefined): string {
  const { changes, unknown, ambiguous, notes, affected, truncated } = impact;
  const lines = ['<!-- rollcall impact -->', '### What this plan takes down', ''];
  lines.push(
    affected.length === 0
      ? 'Nothing else is affected, as far as is known.'
      : `**Affected are ${countedAffected(affected)}.**`,
  );
  if (failed !== undefined) lines.push('', `It does not pass: ${failed}.`);
  if (affected.length > 0) {
    lines.push('', '| affected | strength | because | of |', '| --- | --- | --- | --- |');
    for (const { ci_name, ci_type, ci_status, strength, because } of affected.slice(0, mostRows)) {
      const cause = `${because.action} ${spanned(because.address)}`;
      lines.push(
        `| ${spanned(ci_name)} (${spanned(`${ci_type}, ${ci_status}`)}) | ${strength} | ${chainOf(because)} | ${cause} |`,
      );
    }
  }
  const listed = (title: string, names: readonly string[]) => {
    if (names.length === 0) return;
    const rest = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
    lines.push('', `${title}: ${names.slice(0, mostNames).join(', ')}${rest}`);
  };
  if (affected.length > mostRows) lines.push('', `And ${affected.length - mostRows} more.`);
  if (truncated) lines.push('', 'More is affected than is shown.');
  listed(
    'Looked at',
    changes.map(({ action, address, ci }) => `${action} ${spanned(address)} (${spanned(ci.ci_name)})`),
  );
  listed(
    'Could be several items',
    ambiguous.map(({ address }) => spanned(address)),
  );
  listed('No item is known for', unknown.map(spanned));
  for (const note of notes) lines.push('', note);
  return lines.join('\n');
}

const longestChain = 4;

/** `web` depends_on `db` */
function chainOf({ ci_name, path }: PlanImpact['affected'][number]['because']): string {
  const steps = path.map((step) => `${spanned(step.ci_name)} ${spanned(step.relationship_type)}`).reverse();
  const told = steps.length > longestChain ? [...steps.slice(0, longestChain - 1), '…', steps.at(-1)] : steps;
  return [...told, spanned(ci_name)].join(' ');
}
