/**
 * The API of one cluster: reads alone. The paths are those of the package `proxmox-api`; the calls are ours, since its
 * own turn a body that was cut off into nothing, and have no limit for a body that never ends.
 */

import type { ApiRequestable, Proxmox } from 'proxmox-api';
import type { Answer } from '../outbound/attempt.ts';
import type { Outbound } from '../outbound/caller.ts';
import { OutboundError } from '../outbound/error.ts';
import type { Secret } from '../secrets/secret.ts';
import { ProxmoxError, troubleOf } from './trouble.ts';

/** Typed paths, such as `api.nodes.$(name).qemu.$(100).config.$get()`; of the answers only that there is `data`. */
export type Api = Proxmox.Api;

/** What is asked of a guest's inside goes through one of three workers of its node, and may take long. */
const agentMilliseconds = 10_000;
const listMilliseconds = 30_000;

/** A part of a path: what a machine is called must not lead to another call. */
export function part(name: string | number): string {
  const written = String(name);
  // Dots would be taken for a way up.
  if (/^\.{1,2}$/.test(written) || written === '') throw new ProxmoxError('invalid', `${written} cannot be asked for`);
  return encodeURIComponent(written);
}

/**
 * Asks for the token once, at the first call: an opened API is for one run of a job or one request, and where the token is
 * in a vault, each reading takes seconds.
 */
export async function openApi(
  outbound: Outbound,
  token: (signal?: AbortSignal) => Promise<Secret>,
  signal?: AbortSignal,
): Promise<Api> {
  const { buildApiProxy } = await loadPaths();
  let secret: Promise<Secret> | undefined;
  const engine: ApiRequestable = {
    async doRequest(method: string, path: string, _template: string, params?: Record<string, unknown>) {
      if (method !== 'get' && method !== 'GET') throw new ProxmoxError('invalid', `${method} is never asked for`);
      const query = new URLSearchParams(
        Object.entries(params ?? {}).map(([name, value]): [string, string] => [name, String(value)]),
      ).toString();
      secret ??= token(signal);
      return await ask(outbound, `${path}${query === '' ? '' : `?${query}`}`, await secret, signal);
    },
  };
  return buildApiProxy(engine, '/api2/json') as Api;
}

/**
 * The paths of the package alone: its front door loads its own engine as well, and with that an HTTP client of 10 MB
 * that nobody here uses.
 */
async function loadPaths(): Promise<{ buildApiProxy: (engine: ApiRequestable, path: string) => unknown }> {
  return (await import(new URL('proxy.js', import.meta.resolve('proxmox-api')).href)) as never;
}

async function ask(outbound: Outbound, path: string, token: Secret, signal: AbortSignal | undefined): Promise<unknown> {
  let answer: Answer;
  try {
    answer = await outbound.call({
      path,
      headers: { Accept: 'application/json', Authorization: `PVEAPIToken=${token.reveal()}` },
      totalMs: limitOf(path),
      // One that answers that a guest or another node does not is there.
      isOutage: ({ status }) => status === 502 || status === 503 || status === 504,
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (error instanceof OutboundError) throw new ProxmoxError(error.kind, error.message);
    throw error;
  }
  const trouble = troubleOf(path, answer);
  if (trouble) throw trouble;
  return dataOf(path, answer);
}

function limitOf(path: string): number {
  if (path.includes('/agent/') || path.includes('/interfaces')) return agentMilliseconds;
  return path.startsWith('/api2/json/cluster/resources') ? listMilliseconds : agentMilliseconds + 5000;
}

/** Success is an object that has `data`; anything else is no answer of Proxmox VE. */
function dataOf(path: string, { body }: Answer): unknown {
  let read: unknown;
  try {
    read = JSON.parse(body);
  } catch {
    throw new ProxmoxError(
      'protocol',
      `${pathShown(path)} was answered by what is no JSON; is it the port of the API, 8006?`,
    );
  }
  if (typeof read === 'object' && read !== null && Object.hasOwn(read, 'data')) return (read as { data: unknown }).data;
  throw new ProxmoxError('protocol', `${pathShown(path)} was answered without data; is it the API of Proxmox VE?`);
}

function pathShown(path: string): string {
  return (path.split('?')[0] as string).replace('/api2/json', '');
}
