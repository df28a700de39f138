/** An empty database: this machine becomes the first item, and two tokens are written beside it. */

import { renameSync, writeFileSync } from 'node:fs';
import type { Cmdb } from './cmdb/cmdb.ts';
import { type TokenFiles, tokenFiles } from './data-folder.ts';
import type { Auth } from './http/auth.ts';
import { type Scope, scopes } from './http/endpoint.ts';
import { hereSource, type ThisMachine } from './inventory/here.ts';

const ansibleScopes: readonly Scope[] = ['inventory:read', 'ci:read', 'runs:write'];

/**
 * Answers the files that were written, or undefined where it was done before. The admin token is its last act: a
 * first start that broke off is done again.
 */
export async function firstStart(
  cmdb: Cmdb,
  auth: Auth,
  folder: string,
  machine: ThisMachine,
): Promise<TokenFiles | undefined> {
  if (await auth.hasHad('admin')) return undefined;
  await cmdb.observe(hereSource, [{ key: machine.key, item: machine.item }]);
  const files = tokenFiles(folder);
  for (const id of await auth.idsOf('ansible')) await auth.revoke(id);
  await auth.create('ansible', ansibleScopes, null, (token) => writeSecret(files.ansible, token));
  await resetAdmin(auth, folder);
  return files;
}

/** Makes a new admin token in place of all former ones, and answers its file. */
export async function resetAdmin(auth: Auth, folder: string): Promise<string> {
  const { admin } = tokenFiles(folder);
  const former = await auth.idsOf('admin');
  await auth.create('admin', scopes, null, (token) => writeSecret(admin, token));
  for (const id of former) await auth.revoke(id);
  return admin;
}

/** Whole or not at all, and for its owner alone. */
function writeSecret(file: string, secret: string): void {
  writeFileSync(`${file}.new`, `${secret}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}
