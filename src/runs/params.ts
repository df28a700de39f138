/** The ids in the paths of runs, checked. */

import { invalid } from '../check.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Throws `invalid` for what is no UUID. */
export function readRunId(params: Readonly<Record<string, string>>): string {
  const runId = params.run_id ?? '';
  if (!uuid.test(runId))
    throw invalid('The path', [{ pointer: '/run_id', detail: 'must be a UUID, which the sender makes' }]);
  return runId.toLowerCase();
}

/** Throws `invalid` for what is no small whole number. */
export function readPartNumber(params: Readonly<Record<string, string>>): number {
  const part = params.part ?? '';
  if (!/^\d{1,9}$/.test(part)) throw invalid('The path', [{ pointer: '/part', detail: 'must be a whole number' }]);
  return Number(part);
}
