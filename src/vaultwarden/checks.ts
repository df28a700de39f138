/** Whether a vault can be read, for those who ask: the program, the login, the key, and the server. */

import type { Finding } from '../module.ts';
import { type Clock, millisecondsOf } from '../time.ts';
import { howToLogIn, howToUnlock } from './answer.ts';
import { type Bw, status } from './bw.ts';
import type { Sync } from './sync.ts';
import { VaultError } from './vault.ts';

const check = 'vaultwarden';

export async function checkVault(bw: Bw, sync: Sync, clock: Clock): Promise<Finding[]> {
  const findings: Finding[] = [];
  const wrong = (found: string, to_do?: string): Finding[] => [
    ...findings,
    { check, state: 'wrong', found, ...(to_do === undefined ? {} : { to_do }) },
  ];
  try {
    const version = await bw.version();
    const told = statusIn(await bw.ask(status));
    findings.push({ check, state: 'ok', found: `${bw.called}${version ? ` ${version}` : ''} answers` });
    if (told.status === 'unauthenticated') return wrong('nobody is logged in to the vault', howToLogIn);
    findings.push({ check, state: 'ok', found: `${told.email} is logged in at ${told.server}` });
    if (told.status !== 'unlocked') return wrong('the vault is locked', howToUnlock);
    findings.push({ check, state: 'ok', found: `it is unlocked, and was synced ${ageOf(told.lastSync, clock)}` });
    await sync.now();
    return [...findings, { check, state: 'ok', found: 'its server answers' }];
  } catch (error) {
    if (error instanceof VaultError) return wrong(error.message);
    throw error;
  }
}

/** Of the status what is shown; what is not told is a dash. */
function statusIn(data: unknown): { status: string; email: string; server: string; lastSync: string | undefined } {
  const told = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
  return {
    status: text(told.status) ?? '-',
    email: text(told.userEmail) ?? 'somebody',
    // The CLI writes none where it is the one of Bitwarden itself.
    server: text(told.serverUrl) ?? 'https://bitwarden.com',
    lastSync: text(told.lastSync),
  };
}

function ageOf(lastSync: string | undefined, clock: Clock): string {
  const milliseconds = lastSync === undefined ? Number.NaN : clock().epochMilliseconds - millisecondsOf(lastSync);
  if (Number.isNaN(milliseconds)) return 'never';
  const minutes = Math.max(0, Math.round(milliseconds / 60_000));
  if (minutes < 120) return `${minutes} min ago`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h ago` : `${Math.round(minutes / 1440)} days ago`;
}
