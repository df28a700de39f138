/** Which service a command speaks to: the one that is named, the one that uses the data, or one in this process. */

import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Command } from 'commander';
import type { App, Config } from '../app.ts';
import { addressFile, tokenFiles } from '../data-folder.ts';
import { type Environment, readEnvironment } from '../environment.ts';
import { DataInUseError, StartError } from '../errors.ts';
import { type Access, type Client, clientOf } from './client.ts';
import { note } from './output.ts';

interface Globals {
  config?: string;
  data?: string;
}

/** All of the service's code, which most commands do not need: it takes several times as long to load as their own. */
const wholeApp = () => import('../app.ts');

/** The configuration as the global options and the environment name it. */
export async function configOf(command: Command): Promise<Config> {
  const { config: file, data } = command.optsWithGlobals<Globals>();
  const [{ settingsSchema }, { readConfig }] = await Promise.all([wholeApp(), import('../config.ts')]);
  return readConfig(settingsSchema, { file, data, env: readEnvironment(), cwd: process.cwd() });
}

/** Does the work against the service that the command is meant for; alone where that had to be opened in this process. */
export async function withClient(
  command: Command,
  work: (client: Client, isAlone: boolean) => Promise<void>,
): Promise<void> {
  const env = readEnvironment();
  const changeRef = env.ROLLCALL_CHANGE_REF;
  trustAuthority(env.ROLLCALL_CA);
  const near = (await remoteAccess(command, env)) ?? (await nearAccess(command, env));
  if (near) return await work(clientOf({ ...near, changeRef }), false);

  const config = await configOf(command);
  const found = await findOrOpen(config);
  if (typeof found === 'string') {
    // What the service shows there was put there by its operator.
    trustAuthority(config.http.tls?.cert);
    return await work(clientOf({ ...localAccess(config.data, found, env, true), changeRef }), false);
  }
  try {
    await work(clientOf({ ...localAccess(config.data, found.url, env, false), changeRef }), true);
  } finally {
    await found.close();
  }
}

/**
 * A service that runs on data whose folder is named, or is the usual one: found by what it writes there, without its
 * settings. Undefined where that is not to be seen at once; then its settings tell.
 */
async function nearAccess(command: Command, env: Environment): Promise<Access | undefined> {
  const { config, data } = command.optsWithGlobals<Globals>();
  const named = data ?? (env.ROLLCALL_DATA || undefined);
  if (named === undefined && (config || env.ROLLCALL_CONFIG || existsSync(usualConfig))) return undefined;
  const folder = resolve(named ?? usualData);
  try {
    const url = readFileSync(addressFile(folder), 'utf8').trim();
    if (!/^http:\/\/(127\.|\[::1\])/.test(url)) return undefined;
    const { ok } = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(probeMilliseconds) });
    return ok ? localAccess(folder, url, env, true) : undefined;
  } catch (error) {
    if (error instanceof StartError) throw error;
    return undefined;
  }
}

const usualConfig = 'rollcall.yml';
const usualData = 'data';
const probeMilliseconds = 2000;

/** The address of the service that uses the data, or the app in this process. Of several commands one goes first. */
async function findOrOpen(config: Config): Promise<string | App> {
  for (const until = Date.now() + startMilliseconds; ; ) {
    const running = await findRunning(config);
    if (running) return running;
    try {
      return await openAlone(config);
    } catch (error) {
      if (!(error instanceof DataInUseError) || Date.now() > until) throw error;
    }
  }
}

/** The app in this process, where no job runs by itself. Says so where it had to make a new database. */
export async function openAlone(config: Config): Promise<App> {
  const [{ openApp }, { openLog }] = await Promise.all([wholeApp(), import('../log.ts')]);
  const log = openLog(config.log.level === 'silent' ? 'silent' : 'warn', config.log.format);
  const app = await openApp(config, log, { alone: true });
  if (app.firstTokens)
    note(`There was no database in ${config.data}: made one. If you meant another folder, name it with --data.`);
  return app;
}

/** The address of the service that uses the data, or undefined where none does. Waits for one that is starting. */
export async function findRunning(config: Config): Promise<string | undefined> {
  for (let waited = 0; ; waited += pollMilliseconds) {
    const found = await lookFor(config);
    if (!found) return undefined;
    if (found.url !== undefined) return found.url;
    if (waited >= startMilliseconds)
      throw new StartError(
        `Another process uses the data in ${config.data}, and is no service that answers. Wait for it, or stop it.`,
      );
    await wait(pollMilliseconds);
  }
}

const pollMilliseconds = 100;
const startMilliseconds = 15_000;

async function lookFor(config: Config): Promise<{ url: string | undefined } | undefined> {
  const { findService } = await wholeApp();
  try {
    return findService(config);
  } catch (error) {
    throw new StartError(
      `The data in ${config.data} belong to another user (${(error as Error).message}). ` +
        'Run this as that user, or set ROLLCALL_URL and ROLLCALL_TOKEN.',
      { cause: error },
    );
  }
}

/** Named by the environment; or by `rollcall login`, on a machine that has no data of its own. */
export async function remoteAccess(command: Command, env: Environment): Promise<Access | undefined> {
  if (env.ROLLCALL_URL) {
    const url = checkedUrl(env.ROLLCALL_URL, 'ROLLCALL_URL');
    const token = namedToken(env);
    if (token) return { url, called: `Rollcall at ${url}`, ...token };
    const login = readLogin(env);
    if (login?.url === url) return login;
    throw new StartError(`ROLLCALL_URL is set, and no token for it: set ROLLCALL_TOKEN or ROLLCALL_TOKEN_FILE.`);
  }
  const { config: file, data } = command.optsWithGlobals<Globals>();
  if (file ?? data ?? env.ROLLCALL_CONFIG ?? env.ROLLCALL_DATA) return undefined;
  const login = readLogin(env);
  if (!login || existsSync(`${(await configOf(command)).data}/rollcall.db`)) return undefined;
  return { ...login, ...namedToken(env) };
}

/** By the admin token beside the data, unless the environment names another. */
export function localAccess(folder: string, url: string, env: Environment, isRunning: boolean): Access {
  const named = namedToken(env);
  const called = isRunning ? `Rollcall at ${url}` : `Rollcall, opened for this command on ${folder},`;
  if (named) return { url, called, ...named };
  const { admin } = tokenFiles(folder);
  const advice = isRunning
    ? 'Run this as the user of the service, or set ROLLCALL_TOKEN; if the token is lost, stop the service, run "rollcall token reset-admin", and start it again.'
    : '"rollcall token reset-admin" writes a new one.';
  return { url, called, token: tokenIn(admin, advice), tokenFrom: admin, advice };
}

/** The folder that `rollcall login` writes and the inventory script reads. */
export function loginFolder(env: Environment): string {
  const base = env.XDG_CONFIG_HOME ?? '';
  return join(isAbsolute(base) ? base : join(homedir(), '.config'), 'rollcall');
}

/** The address in its one form; what stands there is not repeated where it could hold a password. */
export function checkedUrl(text: string, origin: string): string {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash)
    throw new StartError(`${origin} is no address of a service: it looks like https://cmdb.example.org:7373.`);
  if (url.username || url.password)
    throw new StartError(`${origin} holds a user or password, which belongs into no address.`);
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** Reads a token; what is no token is refused without being shown. */
export function checkedToken(text: string, origin: string, advice = ''): string {
  const token = text.trim();
  if (/^[!-~]+$/.test(token)) return token;
  throw new StartError(`${origin} holds no token: a token is one word of plain characters. ${advice}`.trim());
}

export function tokenIn(file: string, advice: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'it is not there' : code === 'EACCES' ? 'this user may not' : message;
    throw new StartError(`The token in ${file} cannot be read: ${reason}. ${advice}`, { cause: error });
  }
  return checkedToken(text, file, advice);
}

function namedToken(env: Environment): Pick<Access, 'token' | 'tokenFrom' | 'advice'> | undefined {
  const advice = 'Get a new one with "rollcall token create" on the machine of the service.';
  if (env.ROLLCALL_TOKEN)
    return { token: checkedToken(env.ROLLCALL_TOKEN, 'ROLLCALL_TOKEN'), tokenFrom: 'ROLLCALL_TOKEN', advice };
  const file = env.ROLLCALL_TOKEN_FILE;
  if (!file) return undefined;
  return { token: tokenIn(file, 'ROLLCALL_TOKEN_FILE names it.'), tokenFrom: `${file} (ROLLCALL_TOKEN_FILE)`, advice };
}

function readLogin(env: Environment): Access | undefined {
  const folder = loginFolder(env);
  if (!existsSync(join(folder, 'url')) || !existsSync(join(folder, 'token'))) return undefined;
  const url = checkedUrl(readFileSync(join(folder, 'url'), 'utf8'), join(folder, 'url'));
  const advice = 'Log in again with "rollcall login".';
  const file = join(folder, 'token');
  return { url, called: `Rollcall at ${url}`, token: tokenIn(file, advice), tokenFrom: file, advice };
}

/** Certificates that are trusted besides the usual ones. */
export function trustAuthority(file: string | undefined): void {
  if (!file) return;
  try {
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(file, 'utf8')]);
  } catch (error) {
    throw new StartError(
      `ROLLCALL_CA names ${file}, which cannot be read as certificates: ${(error as Error).message}.`,
      {
        cause: error,
      },
    );
  }
}
