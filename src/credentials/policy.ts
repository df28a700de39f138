/** What is asked of a credential by its type: each word of the most exact policy that has one. Pure. */

import { fittingGlobs } from '../glob.ts';
import type { Credential } from './credential.ts';
import type { EvidenceWanted, PolicySettings } from './settings.ts';

const usualLeadDays = 14;

export const usualProcedure = [
  'Generate the new secret',
  'Update the vault item',
  'Update the associated systems',
  'Mark it rotated in Rollcall',
  'Close this issue',
] as const;

export interface Policy {
  rotation_period_days: number | null;
  lead_days: number;
  /** Its issue is at least that urgent. */
  priority: 'medium' | 'high' | 'critical';
  procedure: readonly string[];
  owner: string | null;
  evidence: EvidenceWanted;
}

/** Where a word of a policy came from. */
export interface PolicyWord {
  setting: keyof Policy;
  value: Policy[keyof Policy];
  /** `the credential`, the name of a policy in the settings, or `default`. */
  from: string;
}

type Owned = Pick<Credential, 'credential_type' | 'rotation_period_days' | 'owner_email'>;

const defaults: Policy = {
  rotation_period_days: null,
  lead_days: usualLeadDays,
  priority: 'medium',
  procedure: usualProcedure,
  owner: null,
  evidence: 'any',
};

/** The words that hold for a credential, each with where it stands. */
export function explainPolicy(credential: Owned, policies: Readonly<Record<string, PolicySettings>>): PolicyWord[] {
  const own: PolicySettings = {
    ...(credential.rotation_period_days === null ? {} : { rotation_period_days: credential.rotation_period_days }),
    ...(credential.owner_email === null ? {} : { owner: credential.owner_email }),
  };
  const said: (readonly [string, PolicySettings])[] = [
    ['the credential', own],
    ...fittingGlobs(Object.entries(policies), ([name]) => name, credential.credential_type),
  ];
  return (Object.keys(defaults) as (keyof Policy)[]).map((setting) => {
    const first = said.find(([, policy]) => policy[setting] !== undefined);
    return first
      ? { setting, value: first[1][setting] as Policy[keyof Policy], from: first[0] }
      : { setting, value: defaults[setting], from: 'default' };
  });
}

export function policyOf(credential: Owned, policies: Readonly<Record<string, PolicySettings>>): Policy {
  return Object.fromEntries(
    explainPolicy(credential, policies).map(({ setting, value }) => [setting, value]),
  ) as unknown as Policy;
}
