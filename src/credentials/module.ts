/** Credentials as a module: what it needs, and what it brings. */

import type { RelationshipRules } from '../cmdb/carrying.ts';
import type { CredentialsAffected } from '../cmdb/impact.ts';
import type { House, Module, Opened } from '../module.ts';
import { associationEndpoints } from './association-routes.ts';
import { calendarEndpoint } from './calendar.ts';
import type { CheckParts } from './check.ts';
import { dateOf } from './credential.ts';
import { credentialsAffected } from './impact.ts';
import { credentialJobs, followJobName, loadCheck } from './job.ts';
import { openRecords } from './records.ts';
import { credentialEndpoints } from './routes.ts';
import { type CredentialsSettings, credentialsSettings } from './settings.ts';

/** What others have that this works with, where the settings name it. */
export interface Neighbours extends Pick<CheckParts, 'issues' | 'vault'> {
  /** Runs a job for what was done up to now, and does not wait for it. */
  follow: (job: string) => void;
}

export interface OpenedCredentials extends Opened {
  credentialsAffected: CredentialsAffected;
}

export function credentialsModule({
  issues,
  vault,
  follow,
}: Neighbours): Module<typeof credentialsSettings, OpenedCredentials> {
  return {
    name: 'credentials',
    settings: credentialsSettings,
    open({ store, cmdb, clock }: House, settings: CredentialsSettings): OpenedCredentials {
      const { timeZone } = cmdb;
      const { policies } = settings;
      const records = openRecords({ store, clock, timeZone, settings });
      const today = () => ({ today: dateOf(clock(), timeZone), timeZone, policies });
      const rules = cmdb.settings.relationship_types as RelationshipRules;
      const parts: CheckParts = { store, clock, records, settings, rules, today, vault, issues };
      const rehearse = async () => (await loadCheck()).rehearseCheck(parts);
      const changed = () => follow(followJobName);
      return {
        endpoints: [
          ...credentialEndpoints({ store, records, today, rehearse, changed }),
          ...associationEndpoints(store, records),
          calendarEndpoint(store, today),
        ],
        jobs: credentialJobs(parts),
        credentialsAffected: credentialsAffected(store.read),
      };
    },
  };
}
