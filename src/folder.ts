/** Files written into a folder: each is there whole, or as it was. */

import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface WrittenFile {
  path: string;
  content: string;
  isExecutable: boolean;
}

/** For their owner alone. Throws what the file system says. */
export function writeFiles(folder: string, files: readonly WrittenFile[]): void {
  for (const { path, content, isExecutable } of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const besides = `${file}.${process.pid}.new`;
    try {
      const handle = openSync(besides, 'w', 0o600);
      try {
        writeFileSync(handle, content);
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      if (isExecutable) chmodSync(besides, 0o700);
      renameSync(besides, file);
    } catch (error) {
      rmSync(besides, { force: true });
      throw error;
    }
  }
}
