/** Runs a job and shows how it goes: for `rollcall jobs run`, and for commands that are a job under another name. */

import { setTimeout as wait } from 'node:timers/promises';
import type { Client, Json } from './client.ts';
import { note, print, printJson, shown, spanOf } from './output.ts';

export interface JobRun extends Json {
  id: string;
  job: string;
  trigger: string;
  started_at: string;
  finished_at: string | null;
  outcome: string;
  error: string | null;
}

export interface RunJobOptions {
  params?: Json;
  /** Answer once it has begun. */
  noWait?: boolean;
  json?: boolean | undefined;
  /** No service runs: the job runs in this process, which has to wait for it. */
  isAlone: boolean;
}

const firstLookMilliseconds = 100;
const longestLookMilliseconds = 1000;

/** Sets the exit code: 0 done or already running, 1 failed, 2 partial or held. */
export async function runJob(client: Client, name: string, options: RunJobOptions): Promise<void> {
  const { params = {}, json, isAlone } = options;
  const begun = await client.send<JobRun & { already_running: boolean }>(
    'POST',
    `/jobs/${encodeURIComponent(name)}/run`,
    { params },
  );
  if (options.noWait && isAlone) note('No service is running: the job runs in this process, which waits for it.');
  if (begun.already_running || (options.noWait && !isAlone)) {
    if (json) printJson(begun);
    else if (begun.already_running) print(`${name} is already running, as run ${begun.id} since ${begun.started_at}.`);
    else print(`${name} has begun, as run ${begun.id}. "rollcall jobs log ${name}" shows how it went.`);
    return;
  }
  const run = await ended(client, begun.id);
  process.exitCode = exitCodes[run.outcome] ?? 1;
  if (json) printJson(run);
  else if (process.exitCode === 1) note(sentenceOf(run));
  else print(sentenceOf(run));
}

const exitCodes: Readonly<Record<string, number>> = { good: 0, partial: 2, held: 2 };

/** Looks until it is over, and tells meanwhile how far it is. */
async function ended(client: Client, id: string): Promise<JobRun> {
  const line = progressLine();
  for (let pause = firstLookMilliseconds; ; pause = Math.min(pause * 1.5, longestLookMilliseconds)) {
    const { progress, ...run } = await client.get<JobRun & { progress: Progress | null }>(`/jobs/runs/${id}`);
    line.show(progress ? `${run.job}: ${progress.done} of ${progress.total} ${shown(progress.what)}` : `${run.job} …`);
    if (run.finished_at !== null) {
      line.clear();
      return run as JobRun;
    }
    await wait(pause);
  }
}

interface Progress {
  done: number;
  total: number;
  what: string;
}

const usualColumns = 80;

/** One line that is written over again and again; nothing where nobody looks on. */
function progressLine(): { show(text: string): void; clear(): void } {
  const { stderr } = process;
  // Some terminals do not say how wide they are.
  const width = stderr.columns || usualColumns;
  if (!stderr.isTTY) return { show: () => undefined, clear: () => undefined };
  const rewrite = (text: string) => stderr.write(`\r\u001B[K${text}`);
  return {
    show: (text) =>
      rewrite(
        Array.from(text.replaceAll('\n', ' '))
          .slice(0, width - 1)
          .join(''),
      ),
    clear: () => rewrite(''),
  };
}

function sentenceOf(run: JobRun): string {
  const took = tookOf(run);
  const counts = countsOf(run);
  const said = counts === '' ? '.' : `: ${counts}.`;
  const why = run.error === null ? '' : shown(run.error);
  if (run.outcome === 'good') return `Ran ${run.job} in ${took}${said}`;
  if (run.outcome === 'partial') return `Ran ${run.job} in part, in ${took}${said}\n${why}`.trim();
  if (run.outcome === 'held')
    return `Ran ${run.job} in ${took}, and what it found waits for a person${said}\n${why}`.trim();
  return `${run.job} ${run.outcome === 'failed' ? 'failed' : 'was interrupted'} after ${took}: ${why}`;
}

const fewCounts = 6;

export function tookOf({ started_at, finished_at }: JobRun): string {
  return finished_at === null ? '-' : spanOf((Date.parse(finished_at) - Date.parse(started_at)) / 1000);
}

/** `41 seen, 2 created`: what stands in a run beside that which every run has. Where much is counted, what came to none is left out. */
export function countsOf(run: JobRun): string {
  const counted = Object.entries(run).filter(([, value]) => typeof value === 'number');
  return counted
    .filter(([, value], index) => counted.length <= fewCounts || index === 0 || value !== 0)
    .map(([name, value]) => `${shown(value)} ${shown(name.replaceAll('_', ' '))}`)
    .join(', ');
}
