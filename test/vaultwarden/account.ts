/** An account at a server, and Bitwarden's own CLI that is logged in to it. Each start of that takes seconds. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { runProgram } from '../cli/run.ts';
import { temporaryFolder } from '../service.ts';
import { startVaultwardenSim } from '../sims/vaultwarden-sim.mjs';
import { readTools } from '../tools/tools.ts';
import { canary, idOf, item, path, type VaultOptions, vaultWith } from './world.ts';

export const { bw } = readTools();
export const certificate = (name: string) => new URL(`../http/tls/${name}.pem`, import.meta.url).pathname;
const ca = certificate('cert-1');
const apiKey = { clientId: 'user.00000000-0000-4000-8000-000000000000', clientSecret: 'secret of the API key' };

/** A server, an account of it that is logged in, and its key. */
export async function account() {
  const folder = temporaryFolder();
  const vaultFile = join(folder, 'vault.json');
  const vault = (items: readonly object[]) => {
    const folders = [{ id: idOf(100), name: 'infra' }];
    writeFileSync(vaultFile, JSON.stringify({ masterPassword: 'master password', apiKey, folders, items }));
  };
  vault([
    item(1, 'pve', canary, { folderId: idOf(100), fields: [{ name: 'token', value: canary, type: 1 }] }),
    item(2, 'pve-old', 'old'),
    item(3, 'Küche', 'of the kitchen'),
    item(4, 'twin', 'one'),
    item(5, 'twin', 'other'),
    item(6, 'gone', 'old', { deletedDate: '2026-01-31T08:00:00.000Z' }),
    { id: idOf(7), name: 'note', type: 2, notes: 'two\nlines\n' },
    item(8, 'put away', 'old', { archivedDate: '2026-01-31T08:00:00.000Z' }),
    item(9, 'empty', ''),
    item(10, '-odd', 'odd'),
  ]);
  const [cert, key] = [readFileSync(ca), readFileSync(certificate('key-1'))];
  const server = await startVaultwardenSim({ vault: vaultFile, cert, key });
  onTestFinished(() => server.close());
  const env = { PATH: path, BITWARDENCLI_APPDATA_DIR: join(folder, 'bw'), NODE_EXTRA_CA_CERTS: ca };
  const cli = async (words: readonly string[], more: Record<string, string> = {}) => {
    const ran = await runProgram(bw, ['--nointeraction', ...words], { folder, env: { ...env, ...more } });
    if (ran.code !== 0) throw new Error(ran.stderr);
    return ran.stdout;
  };
  await cli(['config', 'server', server.url]);
  await cli(['login', '--apikey'], { BW_CLIENTID: apiKey.clientId, BW_CLIENTSECRET: apiKey.clientSecret });
  const session = await cli(['unlock', '--passwordenv', 'BW_PASSWORD', '--raw'], { BW_PASSWORD: 'master password' });
  const settings = { bw, data_dir: env.BITWARDENCLI_APPDATA_DIR, ca };
  const opened = (more: Partial<typeof settings> = {}, options: VaultOptions = {}) =>
    vaultWith({ ...settings, ...more }, { key: session, ...options });
  return { folder, env, vault, server, session, opened };
}
