/** What `rollcall doctor` looks at: each check answers what it found, and what to do where something is wrong. */

import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import type { Config } from '../app.ts';
import { tokenFiles } from '../data-folder.ts';
import type { Access, Client, Json, List } from './client.ts';
import { clientOf, Refusal } from './client.ts';
import { counted, shown } from './output.ts';
import { tokenIn } from './service.ts';

export interface Finding {
  check: string;
  /** `note`: nothing is wrong, and it is worth knowing. */
  state: 'ok' | 'note' | 'wrong';
  found: string;
  to_do?: string;
}

const dayMilliseconds = 86_400_000;
const roomBytes = 200 * 1024 * 1024;
const soonDays = 14;
const unusedDays = 90;
const clockMilliseconds = 5 * 60_000;
const oldestClock = Date.parse('2026-01-01T00:00:00Z');

export async function checkDatabase(config: Config): Promise<Finding> {
  const check = 'database';
  const restore = `Stop the service and run "rollcall restore FILE"; backups are in ${config.data}/backups.`;
  const { inspect } = await import('../app.ts');
  const state = await inspect(config);
  if (!state)
    return {
      check,
      state: 'wrong',
      found: `there is none in ${config.data}`,
      to_do: 'Start the service, which makes one; or name the right folder with --data or ROLLCALL_DATA.',
    };
  if (state.damage !== undefined)
    return { check, state: 'wrong', found: `it is damaged: ${state.damage}`, to_do: restore };
  if (state.unknown.length > 0)
    return {
      check,
      state: 'wrong',
      found: `a newer Rollcall wrote it (it has ${state.unknown.join(', ')})`,
      to_do: 'Use that version; or restore a backup that was made before.',
    };
  const size = `${sizeOf(state.bytes)} in ${config.data}`;
  if (state.pending.length > 0)
    return { check, state: 'note', found: `${size}; the next start migrates it: ${state.pending.join(', ')}` };
  return { check, state: 'ok', found: `${size}, whole and up to date` };
}

export function checkDisk(config: Config): Finding {
  const check = 'disk space';
  const { bavail, bsize } = statfsSync(config.data);
  const free = bavail * bsize;
  const found = `${sizeOf(free)} are free where the data are`;
  const file = statSync(`${config.data}/rollcall.db`, { throwIfNoEntry: false });
  if (free >= Math.max(roomBytes, 2 * (file?.size ?? 0))) return { check, state: 'ok', found };
  return { check, state: 'wrong', found, to_do: `Free some: a backup needs as much again as the database.` };
}

export function checkBackups(config: Config, now: number): Finding {
  const check = 'backups';
  const folder = `${config.data}/backups`;
  if (config.jobs.backup?.schedule === 'off')
    return { check, state: 'note', found: 'the daily backup is off (jobs.backup.schedule)' };
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^daily-.*\.db$/.test(name)) : [];
  const newest = Math.max(0, ...names.map((name) => statSync(`${folder}/${name}`).mtimeMs));
  const since = Math.max(newest, statSync(`${config.data}/rollcall.db`, { throwIfNoEntry: false })?.birthtimeMs ?? 0);
  const found =
    newest === 0 ? `there is none in ${folder} yet` : `the newest is ${ageOf(now - newest)} old, in ${folder}`;
  if (now - since < 2 * dayMilliseconds) return { check, state: newest === 0 ? 'note' : 'ok', found };
  return {
    check,
    state: 'wrong',
    found,
    to_do: 'The service makes one a day while it runs: its log says why not. "rollcall backup FILE" makes one now.',
  };
}

/** The files that Ansible and this command find by themselves. */
export function checkTokenFiles(config: Config): Finding[] {
  return Object.entries(tokenFiles(config.data)).map(([name, file]): Finding => {
    const check = `${name} token`;
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found && name === 'admin')
      return {
        check,
        state: 'wrong',
        found: `${file} is not there`,
        to_do: 'Stop the service and run "rollcall token reset-admin", which writes a new one.',
      };
    if (!found)
      return {
        check,
        state: 'note',
        found: `${file} is not there`,
        to_do: `Unless you keep it elsewhere: (umask 077; rollcall token create ansible > ${file})`,
      };
    if ((found.mode & 0o077) !== 0)
      return {
        check,
        state: 'wrong',
        found: `others can read ${file} (mode ${(found.mode & 0o777).toString(8)})`,
        to_do: `chmod 600 ${file}, and replace the token if others may have read it.`,
      };
    return { check, state: 'ok', found: `${file}, for its owner alone` };
  });
}

/** Whether the service takes the token in Ansible's file. */
export async function checkAnsibleToken(config: Config, url: string): Promise<Finding[]> {
  const { ansible } = tokenFiles(config.data);
  if (!existsSync(ansible)) return [];
  try {
    const access: Access = { url, called: 'Rollcall', token: tokenIn(ansible, ''), tokenFrom: ansible, advice: '' };
    await clientOf(access).get('/ci', { limit: 1 });
    return [];
  } catch (error) {
    const to_do = `(umask 077; rollcall token create ansible > ${ansible})`;
    return [{ check: 'ansible token', state: 'wrong', found: (error as Error).message.trim(), to_do }];
  }
}

export async function checkTokens(client: Client, now: number): Promise<Finding[]> {
  const check = 'tokens';
  const tokens = (await client.list<Token>('/tokens')).items.filter(({ revoked_at }) => revoked_at === null);
  const before = (days: number) => new Date(now - days * dayMilliseconds).toISOString();
  const ending = tokens.filter(({ expires_at }) => expires_at !== null && expires_at < before(-soonDays));
  const unused = tokens.filter(({ last_used_at, created_at }) => (last_used_at ?? created_at) < before(unusedDays));
  const wide = tokens.filter(({ token_name, scopes }) => scopes.includes('admin') && token_name !== 'admin');
  const names = (list: readonly Token[]) => [...new Set(list.map(({ token_name }) => shown(token_name)))].join(', ');
  const findings: Finding[] = [];
  if (ending.length > 0)
    findings.push({
      check,
      state: 'wrong',
      found: `end within ${soonDays} days or have ended: ${ending.map((one) => `${shown(one.token_name)} at ${one.expires_at}`).join(', ')}`,
      to_do:
        'Make a new one of the same name with "rollcall token create", put it where the old one is, revoke the old one.',
    });
  if (unused.length > 0)
    findings.push({
      check,
      state: 'note',
      found: `not used for ${unusedDays} days: ${names(unused)}`,
      to_do: 'Revoke what nobody needs: "rollcall token list" has the ids, "rollcall token revoke ID" ends one.',
    });
  if (wide.length > 0)
    findings.push({
      check,
      state: 'note',
      found: `may do everything: ${names(wide)}`,
      to_do: 'Give each the scopes that it needs: "rollcall token create NAME --scopes …", and revoke the wide one.',
    });
  if (findings.length > 0) return findings;
  return [{ check, state: 'ok', found: `${counted(tokens.length, 'token')}, none ends soon, is idle or too wide` }];
}

interface Token {
  token_name: string;
  scopes: string[];
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
}

/** Who says something. One whose reading is held, or that is too old to be believed, is an alert of the service. */
export async function checkSources(client: Client, now: number): Promise<Finding> {
  const sources = await client.list<{ source: string; last_seen_at: string; withdrawn_at: string | null }>('/sources');
  const speaking = sources.items.filter(({ withdrawn_at }) => withdrawn_at === null);
  const [silent] = speaking.toSorted((a, b) => (a.last_seen_at < b.last_seen_at ? -1 : 1));
  const last = silent
    ? `; longest silent is ${shown(silent.source)}, ${ageOf(now - Date.parse(silent.last_seen_at))}`
    : '';
  return { check: 'sources', state: 'ok', found: `${counted(speaking.length, 'source')}${last}` };
}

const newestRuns = 200;

/** Callbacks that were copied to other machines and not renewed since. `own` is the version that comes with this one. */
export async function checkCallbacks(client: Client, own: string): Promise<Finding> {
  const check = 'callbacks';
  const runs = (await client.list<{ controller: string | null; shim_version: string | null }>('/runs', {}, newestRuns))
    .items;
  const newest = new Map<string, string>();
  for (const { controller, shim_version } of runs)
    if (controller && shim_version && !newest.has(controller)) newest.set(controller, shim_version);
  const others = [...newest].filter(([, version]) => version !== own);
  if (newest.size === 0) return { check, state: 'ok', found: 'no playbook has reported yet' };
  if (others.length === 0) return { check, state: 'ok', found: `${own} on ${counted(newest.size, 'controller')}` };
  return {
    check,
    state: 'note',
    found: `of another version than ${own}: ${others.map(([controller, version]) => `${shown(version)} on ${shown(controller)}`).join(', ')}`,
    to_do: 'Copy plugins/callback/rollcall.py there anew, or run "rollcall ansible setup" in the project.',
  };
}

/** A clock that is wrong here makes certificates, tokens and histories wrong. */
export async function checkClock(client: Client, now: number): Promise<Finding> {
  const check = 'clock';
  const to_do = 'Set the clock, and keep it right with NTP: "timedatectl" shows both.';
  if (now < oldestClock)
    return { check, state: 'wrong', found: `it is ${new Date(now).toISOString()}, says this machine`, to_do };
  const { headers } = await client.read('/healthz');
  const there = Date.parse(headers.get('date') ?? '');
  if (Math.abs(there - now) > clockMilliseconds)
    return {
      check,
      state: 'wrong',
      found: `the service's differs from here by ${ageOf(Math.abs(there - now))}`,
      to_do,
    };
  const [newest] = (await client.get<List<{ changed_at: string }>>('/changes', { limit: 1 })).items;
  if (newest && Date.parse(newest.changed_at) > now + clockMilliseconds)
    return {
      check,
      state: 'wrong',
      found: `the newest change is dated ${newest.changed_at}, which is to come: the clock was wrong then, or is now`,
      to_do,
    };
  return { check, state: 'ok', found: new Date(now).toISOString() };
}

/** The refused writes of the last day, newest first. */
export async function refusalsOfADay(client: Client, now: number): Promise<Json[]> {
  const since = new Date(now - dayMilliseconds).toISOString();
  const page = await client.get<List<Json>>('/refusals', { limit: 1000 });
  return page.items.filter(({ refused_at }) => String(refused_at) >= since);
}

export function checkRefusals(refusals: readonly Json[]): Finding {
  const check = 'refused writes';
  if (refusals.length === 0) return { check, state: 'ok', found: 'none in the last day' };
  return {
    check,
    state: 'wrong',
    found: `${counted(refusals.length, 'write')} in the last day did not get in; the newest are below`,
    to_do: 'Put right what sent them: GET /api/v1/refusals has each with its body.',
  };
}

export async function checkAlerts(client: Client): Promise<Finding[]> {
  const alerts = await client.get<List<Json>>('/alerts', { limit: 1000 });
  // Refused writes have a finding of their own.
  const standing = alerts.items.filter(({ until, kind }) => until === null && kind !== 'refused_writes');
  if (standing.length === 0) return [{ check: 'alerts', state: 'ok', found: 'none stands' }];
  return standing.map(({ kind, subject, since, what_to_do }) => ({
    check: 'alert',
    state: 'wrong',
    found: `${shown(kind)}: ${shown(subject)}, since ${shown(since)}`,
    to_do: shown(what_to_do),
  }));
}

/** Clusters, the tracker and the vault: as the service itself finds them. */
export async function checkPeers(client: Client): Promise<Finding[]> {
  return (await client.get<{ findings: Finding[] }>('/checks')).findings;
}

/** A check that the token may not make, or that failed, is a finding itself. */
export async function attempt(check: string, work: () => Promise<Finding | Finding[]>): Promise<Finding[]> {
  try {
    return [await work()].flat();
  } catch (error) {
    const lacksScope = error instanceof Refusal && error.status === 403;
    return [
      { check, state: lacksScope ? 'note' : 'wrong', found: `it could not be checked: ${(error as Error).message}` },
    ];
  }
}

function sizeOf(bytes: number): string {
  if (bytes < 1024 ** 2) return `${Math.ceil(bytes / 1024)} KiB`;
  return bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

function ageOf(milliseconds: number): string {
  const hours = milliseconds / 3_600_000;
  if (hours < 1) return counted(Math.round(hours * 60), 'minute');
  return hours < 48 ? counted(Math.round(hours), 'hour') : counted(Math.round(hours / 24), 'day');
}
