/** When credentials are looked at: all of them every morning, and what is under way every quarter of an hour. */

import type { Job } from '../jobs/jobs.ts';
import { off } from '../jobs/schedule.ts';
import { type CheckParts, checkCredentials, followCredentials } from './check.ts';

export const checkJobName = 'check-credentials';
export const followJobName = 'follow-credentials';
const lease = 'credentials';

export function credentialJobs(parts: CheckParts): Job[] {
  return [
    {
      name: checkJobName,
      lease,
      schedule: '17 6 * * *',
      run: ({ signal }) => checkCredentials(parts, signal),
    },
    {
      name: followJobName,
      lease,
      // Asked for after each change; by the clock only where something may be under way elsewhere.
      schedule: parts.issues ? '*/15 * * * *' : off,
      run: ({ signal }) => followCredentials(parts, signal),
    },
  ];
}
