/** When clusters are read: whole every six hours, and their rows every two minutes. */

import { DomainError } from '../errors.ts';
import type { Job, JobContext, JobOutcome } from '../jobs/jobs.ts';
import type { Secret } from '../secrets/secret.ts';
import { SecretError } from '../secrets/secrets.ts';
import type { Api } from './client.ts';
import type { Discovered, Discovery } from './discovery.ts';
import { grantingCommands, wantedRights } from './rights.ts';
import { ProxmoxError } from './trouble.ts';

export type OpenApi = (signal?: AbortSignal) => Promise<Api>;

export interface ClusterParts {
  name: string;
  discovery: Discovery;
  open: OpenApi;
  token: () => Promise<Secret>;
}

/** What the jobs of a cluster are called: one reads it whole, one what changed, one a single guest. */
export const jobNames = (cluster: string) => ({
  full: `proxmox-${cluster}`,
  light: `proxmox-${cluster}-light`,
  guest: `proxmox-${cluster}-guest`,
});

export function discoveryJobs({ name, discovery, open, token }: ClusterParts): Job[] {
  const withApi = (work: (api: Api, context: JobContext) => Promise<JobOutcome>) => async (context: JobContext) => {
    try {
      return await work(await open(context.signal), context);
    } catch (error) {
      throw await inWords(error, name, token);
    }
  };
  const reading = (isFull: boolean) =>
    withApi(async (api, context) => {
      const progress = (done: number, total: number) => context.progress(done, total, 'guests');
      return outcomeOf(await discovery.read(api, { isFull, progress }));
    });
  const { full, light, guest } = jobNames(name);
  const lease = discovery.source;
  return [
    { name: full, lease, schedule: '0 */6 * * *', run: reading(true) },
    { name: light, lease, schedule: '*/2 * * * *', run: reading(false) },
    {
      name: guest,
      lease,
      schedule: 'off',
      run: withApi((api, { params }) => readOne(discovery, api, name, params.vmid)),
    },
  ];
}

async function readOne(discovery: Discovery, api: Api, cluster: string, vmid: unknown): Promise<JobOutcome> {
  if (typeof vmid !== 'number')
    throw new DomainError(
      'invalid',
      'Which guest is meant? Its number is wanted as the parameter vmid, such as {"params": {"vmid": 101}}.',
    );
  const found = await discovery.readOne(api, vmid);
  if (!found)
    throw new DomainError('not_found', `${cluster} lists no guest ${vmid}, or does not show it to this token.`);
  const count = (outcome: string) => (found.outcome === outcome ? 1 : 0);
  return {
    outcome: 'good',
    counts: { seen: 1, created: count('created'), updated: count('updated'), unchanged: count('unchanged') },
  };
}

function outcomeOf({ pass, leftOut, moving }: Discovered): JobOutcome {
  const { seen, created, updated, unchanged, missing } = pass;
  const counts = { seen, created, updated, unchanged, missing, moving };
  if (pass.outcome === 'suspicious') return { outcome: 'held', why: heldWords(pass.why, pass.pass_id), counts };
  if (leftOut.length === 0) return { outcome: 'good', counts };
  return { outcome: 'partial', why: `${leftOut.join('; ')}.`, counts };
}

function heldWords(why: string | null, passId: string): string {
  return `${why ?? 'held'}. "rollcall passes show ${passId}" shows what; "rollcall passes accept ${passId}" says that it is right.`;
}

/** What went wrong, and what to do about it. */
export async function inWords(error: unknown, cluster: string, token: () => Promise<Secret>): Promise<unknown> {
  if (error instanceof SecretError)
    return new DomainError('unavailable', `${cluster}: ${error.message}`, { cause: error });
  if (!(error instanceof ProxmoxError)) return error;
  const sentence = /[.?!]$/.test(error.message) ? error.message : `${error.message}.`;
  // What never reached the cluster names it already.
  const named = sentence.startsWith(`proxmox:${cluster}: `) ? sentence : `${cluster}: ${sentence}`;
  const told = (more: string) => new DomainError('unavailable', `${named}${more}`, { cause: error });
  if (error.kind !== 'auth' && error.kind !== 'permission') return told('');
  // What stands before the = is a name.
  const id = (await token()).reveal().split('=')[0] as string;
  if (error.kind === 'auth')
    return told(
      ` It refuses the token ${id}: was it removed, did it expire, or is its secret another one? It is written USER@REALM!TOKENID=SECRET.`,
    );
  const commands = grantingCommands(id, wantedRights(9).slice(0, 1), 9);
  return told(` Give the user and the token ${id} the right, on a node as root:\n${commands.join('\n')}`);
}
