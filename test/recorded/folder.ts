/** Where the recordings lie: ROLLCALL_RECORDED. They belong to others, and are not shipped. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export function recorded(...path: string[]): string {
  const folder = process.env.ROLLCALL_RECORDED;
  if (!folder) throw new Error('ROLLCALL_RECORDED names no folder with recordings.');
  return join(folder, ...path);
}

export function readRecorded(...path: string[]): unknown {
  return JSON.parse(readFileSync(recorded(...path), 'utf8'));
}
