/** A vault for a test: the stand-in for Bitwarden's CLI over a file, as the program or as `bw serve`. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { openLog } from '../../src/log.ts';
import { openSecrets } from '../../src/secrets/secrets.ts';
import type { TimeLimits } from '../../src/vaultwarden/bw.ts';
import { vaultOf } from '../../src/vaultwarden/module.ts';
import type { OpenVault } from '../../src/vaultwarden/open.ts';
import type { VaultwardenSettings } from '../../src/vaultwarden/settings.ts';
import type { VaultTrouble } from '../../src/vaultwarden/vault.ts';
import { temporaryFolder } from '../service.ts';

export const key = 'a2V5IG9mIHRoZSB2YXVsdA==';
export const canary = 'canary-0f3a9c';
/** `node` on the PATH runs the CLI, as it does for people. */
export const path = `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;

export const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** A login with that password, unless told otherwise. */
export const item = (number: number, name: string, password: string | null, more: object = {}) => ({
  id: idOf(number),
  name,
  login: { username: 'admin', password },
  ...more,
});

export interface BwRun {
  pid: number;
  argv: string[];
  sessionVia: string;
  environment: string[];
}

export interface StandIn {
  folder: string;
  /** The path of the program. */
  bw: string;
  /** Changes what the vault is from here on. */
  change: (values: Readonly<Record<string, unknown>>) => void;
  /** Each run of the program so far. */
  runs: () => BwRun[];
}

/** It is open for those who have the key, unless told otherwise. */
export function standIn(values: Readonly<Record<string, unknown>>, folder = temporaryFolder()): StandIn {
  const [vaultFile, logFile, bw] = ['vault.json', 'bw.log', 'bw'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  let vault: Readonly<Record<string, unknown>> = { status: 'unlocked', session: key, ...values };
  const write = () => writeFileSync(vaultFile, JSON.stringify(vault));
  write();
  const script = new URL('../sims/bw.mjs', import.meta.url).pathname;
  writeFileSync(
    bw,
    `#!/bin/sh\nBW_SIM_VAULT='${vaultFile}' BW_SIM_LOG='${logFile}' exec '${process.execPath}' '${script}' "$@"\n`,
    { mode: 0o755 },
  );
  return {
    folder,
    bw,
    change(more) {
      vault = { ...vault, ...more };
      write();
    },
    runs: () =>
      existsSync(logFile)
        ? readFileSync(logFile, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as BwRun)
        : [],
  };
}

/** `bw serve` on a socket; the address of it. */
export async function serve(
  { folder, bw }: Pick<StandIn, 'folder' | 'bw'>,
  env: Record<string, string> = {},
): Promise<string> {
  const socket = join(folder, 'bw.sock');
  const words = ['serve', '--hostname', `unix://${socket}`];
  const child = spawn(bw, words, { env: { PATH: path, HOME: folder, BW_SESSION: key, ...env }, stdio: 'ignore' });
  onTestFinished(() => ended(child));
  await vi.waitFor(() => {
    if (!existsSync(socket)) throw new Error('not yet');
  }, 30_000);
  return `unix://${socket}`;
}

async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once('exit', resolve));
}

export interface VaultWorld {
  vault: OpenVault;
  /** What was logged, as JSON. */
  logged: string[];
  pass: (time: Temporal.DurationLike) => void;
}

export interface VaultOptions {
  limits?: Partial<TimeLimits>;
  env?: Readonly<Record<string, string>>;
  /** Of the vault; null where none is in its file. */
  key?: string | null;
}

/** The vault of those settings, with the key in a file. */
export function vaultWith(settings: Partial<VaultwardenSettings>, options: VaultOptions = {}): VaultWorld {
  const folder = temporaryFolder();
  const given = options.key === undefined ? key : options.key;
  if (given !== null) writeFileSync(join(folder, 'session'), `${given}\n`, { mode: 0o600 });
  const logged: string[] = [];
  const log = openLog('debug', 'json', (line) => logged.push(line));
  let now = Temporal.Instant.from('2026-03-02T10:00:00Z');
  const { secret } = openSecrets({ env: {}, folder });
  const vault = vaultOf(
    { clock: () => now, log, secret },
    { bw: 'bw', watch: {}, session: 'file:session', ...settings },
    { PATH: path, HOME: folder, ...options.env },
    { one: 30_000, all: 60_000, ...options.limits },
  );
  return {
    vault,
    logged,
    pass(time) {
      now = now.add(time);
    },
  };
}

/** What kept it from an answer, and in which words. */
export async function troubleOf(work: Promise<unknown>): Promise<{ trouble: VaultTrouble; message: string }> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  if (error?.name !== 'VaultError') throw error ?? new Error('It worked.');
  const { trouble, message } = error as Error & { trouble: VaultTrouble };
  return { trouble, message };
}
