/** When credentials are looked at: all of them every morning, and what is under way every quarter of an hour. */

import type { Job } from '../jobs/jobs.ts';
import { off } from '../jobs/schedule.ts';
import type { CheckParts } from './check.ts';

const checkJobName = 'check-credentials';
export const followJobName = 'follow-credentials';
const lease = 'credentials';

/** What a check is made of is loaded by the first one: a start has no need of it. */
export const loadCheck = () => import('./check.ts');

export function credentialJobs(parts: CheckParts): Job[] {
  return [
    {
      name: checkJobName,
      lease,
      schedule: '17 6 * * *',
      run: async ({ signal }) => (await loadCheck()).checkCredentials(parts, signal),
    },
    {
      name: followJobName,
      lease,
      // Asked for after each change; by the clock only where something may be under way elsewhere.
      schedule: parts.issues ? '*/15 * * * *' : off,
      run: async ({ signal }) => (await loadCheck()).followCredentials(parts, signal),
    },
  ];
}
