/** For which work item something is done: whether a source has to say it, and which one stands for all that it does. Pure. */

import { type Static, Type } from 'typebox';
import { fittingGlobs } from '../glob.ts';
import { changeRefForm } from '../http/endpoint.ts';

export const requirements = ['off', 'warn', 'enforce'] as const;
export type Requirement = (typeof requirements)[number];

const requirement = Type.Enum([...requirements]);
const sourceGlob = Type.String({ minLength: 1 });

export const auditSettings = Type.Object(
  {
    require_change_ref: Type.Union([requirement, Type.Record(sourceGlob, requirement)], {
      default: 'warn',
      description:
        'whether a change has to name an issue: for all sources, or by source with * and ?; enforce refuses one without',
    }),
    change_refs: Type.Record(
      sourceGlob,
      Type.String({ pattern: changeRefForm, examples: ['owner/repo#12'], description: 'an issue, as owner/repo#12' }),
      { default: {}, description: 'by source: the issue that stands for all that it does and that names no other' },
    ),
  },
  { additionalProperties: false, default: {} },
);

type AuditSettings = Static<typeof auditSettings>;

/** What holds for the sources that a glob fits; null where this one does not say. */
export interface ReferenceRule {
  source: string;
  requirement: Requirement | null;
  change_ref: string | null;
}

/** Who acts for nobody: what time, and the settings, alone bring about. */
const ownSources = ['clock', 'config'];

/** `more` are sources that need no reference either, unless the settings name them. */
export function referenceRules(
  { require_change_ref, change_refs }: AuditSettings,
  more: readonly string[],
): ReferenceRule[] {
  const said = typeof require_change_ref === 'string' ? { '*': require_change_ref } : require_change_ref;
  const required = {
    '*': 'warn' as const,
    ...Object.fromEntries([...ownSources, ...more].map((one) => [one, 'off'])),
    ...said,
  };
  return [
    ...Object.entries(required).map(([source, word]) => ({
      source,
      requirement: word as Requirement,
      change_ref: null,
    })),
    ...Object.entries(change_refs).map(([source, change_ref]) => ({ source, requirement: null, change_ref })),
  ];
}

export interface Wanted {
  requirement: Requirement;
  /** The issue that stands for all that it does. */
  standing: string | null;
}

/** Of the rules that fit, the narrowest that says it. */
export function wantedOf(source: string, rules: readonly ReferenceRule[]): Wanted {
  const fitting = fittingGlobs(rules, (rule) => rule.source, source);
  return {
    requirement: fitting.find((rule) => rule.requirement !== null)?.requirement ?? 'off',
    standing: fitting.find((rule) => rule.change_ref !== null)?.change_ref ?? null,
  };
}
