/** Writes the inventory down each night, so that a day without the service is one with the inventory of that night. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DomainError } from '../errors.ts';
import { writeFiles } from '../folder.ts';
import type { Job } from '../jobs/jobs.ts';
import type { Store } from '../store/open.ts';
import { bundleOf } from './bundle.ts';
import { exportedOf } from './export-routes.ts';
import type { Inventory, InventorySettings } from './inventory.ts';

const run = promisify(execFile);
const gitMilliseconds = 60_000;

export function exportJob(
  inventory: Inventory,
  store: Store,
  { directory, git }: NonNullable<InventorySettings['export']>,
): Job {
  return {
    name: 'export-inventory',
    schedule: '20 3 * * *',
    async run() {
      const { version, body } = await inventory.answer({ include: [], isHere: false });
      const files = bundleOf(body, version, await exportedOf(body, store));
      try {
        writeFiles(directory, files);
      } catch (error) {
        const { code = 'an error' } = error as NodeJS.ErrnoException;
        throw new DomainError(
          'unavailable',
          `The inventory could not be written to ${directory} (${code}): let the user of the service write there, or name another folder under inventory.export.`,
          { cause: error },
        );
      }
      const paths = files.map(({ path }) => path);
      const committed = git === 'off' ? 0 : Number(await commit(directory, paths, version, git === 'push'));
      return { files: files.length, committed };
    },
  };
}

/** Answers whether there was something to commit. What was committed and not pushed is pushed with the next. */
async function commit(folder: string, paths: readonly string[], version: string, pushes: boolean): Promise<boolean> {
  const git = async (...words: string[]) => {
    try {
      // Nobody is there to be asked for a password: an empty answer is refused at once.
      const all = ['-c', 'core.askPass=true', ...words];
      return (await run('git', all, { cwd: folder, timeout: gitMilliseconds })).stdout;
    } catch (error) {
      const { stderr = '', message } = error as { stderr?: string; message: string };
      // An address may hold a password.
      const said = (stderr.trim() || message).replaceAll(/(\w+:\/\/)[^@\s/]*@/g, '$1***@').slice(0, 500);
      throw new DomainError('unavailable', `git in ${folder} failed: ${said}`, { cause: error });
    }
  };
  if (!existsSync(join(folder, '.git'))) await git('init');
  await git('add', '--', ...paths);
  const isChanged = (await git('status', '--porcelain', '--', ...paths)).trim() !== '';
  if (isChanged) {
    const author = ['-c', 'user.name=Rollcall', '-c', 'user.email=rollcall@localhost'];
    await git(...author, 'commit', '--quiet', '-m', `Inventory ${version}`, '--', ...paths);
  }
  if (pushes) await git('push', '--quiet');
  return isChanged;
}
