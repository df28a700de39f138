/** The daily backup: a verified copy a day, the newest seven kept. */

import { readdirSync, rmSync } from 'node:fs';
import type { Store } from '../store/open.ts';
import { type Clock, stamp } from '../time.ts';
import type { Job } from './jobs.ts';

const kept = 7;
const form = /^daily-\d{4}-\d\d-\d\d\.db$/;

export function backupJob(store: Store, folder: string, clock: Clock): Job {
  const today = () => `daily-${stamp(clock()).slice(0, 10)}.db`;
  const backups = () => {
    try {
      return readdirSync(folder)
        .filter((name) => form.test(name))
        .sort();
    } catch {
      return [];
    }
  };
  return {
    name: 'backup',
    schedule: '20 3 * * *',
    isDueAtStart: () => Promise.resolve(!backups().includes(today())),
    async run() {
      await store.backup(`${folder}/${today()}`);
      const old = backups().slice(0, -kept);
      for (const name of old) rmSync(`${folder}/${name}`);
      return { kept: backups().length, deleted: old.length };
    },
  };
}
