/**
 * What the callback plugin calls in: the run, its plays in parts, how it ended. Each call is one transaction, may be
 * repeated, and may come in any order: what stands at the end is the same.
 */

import type { Static } from 'typebox';
import { invalid } from '../check.ts';
import type { Cmdb } from '../cmdb/cmdb.ts';
import type { ItemId } from '../cmdb/item.ts';
import type { Observation } from '../cmdb/speak.ts';
import { DomainError, type Fault } from '../errors.ts';
import type { Caller } from '../http/endpoint.ts';
import type { Logger } from '../log.ts';
import type { Store, Trx } from '../store/open.ts';
import { turn } from '../store/turn.ts';
import { type Clock, stamp } from '../time.ts';
import { settleActivity } from './activity.ts';
import { gatheringsIn, noteGatherings } from './gatherings.ts';
import type { InventoryOfRuns } from './inventory.ts';
import type { runsSettings } from './settings.ts';
import {
  answeringItems,
  type KnownRun,
  type ResultRow,
  runOfCall,
  storeCounts,
  storeHosts,
  storePlay,
  storeResults,
  taskNumbers,
  updateRun,
  wordNumbers,
} from './store.ts';
import { type PartBody, type RunBody, type StatsBody, statuses } from './wire.ts';

export interface IngestParts {
  store: Store;
  cmdb: Pick<Cmdb, 'observe'>;
  clock: Clock;
  log: Logger;
  settings: Static<typeof runsSettings>;
  inventory: InventoryOfRuns;
}

export interface TakenPart {
  run_id: string;
  play_id: string;
  part: number;
  results: number;
  /** Hosts that the inventory did not give out. */
  unknown_hosts: string[];
  /** Hosts whose facts were kept. */
  facts_of: string[];
}

export interface Ingest {
  run(runId: string, body: RunBody, caller: Caller): Promise<void>;
  part(runId: string, playId: string, part: number, body: PartBody, caller: Caller): Promise<TakenPart>;
  stats(runId: string, body: StatsBody, caller: Caller): Promise<void>;
}

const factsSource = 'ansible:facts';

export function openIngest({ store, cmdb, clock, log, settings, inventory }: IngestParts): Ingest {
  const keptFacts: ReadonlySet<string> = new Set(settings.facts);

  /** The run of a call, awake again where it was given up before. */
  async function begin(trx: Trx, runId: string, startedAt: string, caller: Caller): Promise<KnownRun> {
    const run = await runOfCall(trx, runId, startedAt, caller.tokenName, stamp(clock()));
    if (run.outcome === 'interrupted' && run.finished_at === null)
      await updateRun(trx, run.run_no, { outcome: 'running' });
    return run;
  }

  /** What a host says of itself may be anything: what cannot be taken is left out, and holds nothing else up. */
  async function observe(observations: readonly Observation[], changeRef: string | null): Promise<string[]> {
    if (observations.length === 0) return [];
    try {
      await cmdb.observe(factsSource, observations, changeRef);
      return observations.map(({ key }) => key);
    } catch (error) {
      if (!(error instanceof DomainError) || error.code === 'unavailable') throw error;
      const [only, ...others] = observations;
      if (only && others.length === 0) {
        log.warn({ host: only.key, why: error.message }, 'facts were not taken');
        return [];
      }
      const taken: string[] = [];
      for (const observation of observations) taken.push(...(await observe([observation], changeRef)));
      return taken;
    }
  }

  return {
    async run(runId, body, caller) {
      const startedAt = stampOf(body.started_at, '/started_at');
      await store.write(async (trx) => {
        const run = await begin(trx, runId, startedAt, caller);
        await updateRun(trx, run.run_no, rowOf(body, startedAt, run.announced_at ?? stamp(clock()), caller));
        if (body.inventory_version)
          await inventory.keep(trx, body.inventory_version, stamp(clock().add({ hours: 24 * settings.keep_days })));
        await settleActivity(trx, runId, run.run_no, undefined);
      });
    },

    async part(runId, playId, part, body, caller) {
      const rows = await rowsOf(body);
      const gathered = gatheringsIn(body, keptFacts, (text) => stampOf(text, '/started_at'));
      const { run_no, change_ref, hasEnded, items, observations } = await store.write(async (trx) => {
        const run = await begin(trx, runId, rows.startedAt, caller);
        const known = await answeringItems(trx, idsIn(body));
        const isKept = run.pruned_at === null;
        if (isKept) await storePart(trx, run, playId, body, rows, known);
        // Of hosts that the inventory gave out, or of any where these become items.
        const taken = gathered.filter(({ ci_id }) => isKept && (known.has(ci_id ?? '') || settings.register_hosts));
        const noted = await noteGatherings(trx, run, taken);
        const ids = new Map(taken.map(({ host, ci_id }) => [host, known.get(ci_id ?? '')]));
        return {
          run_no: run.run_no,
          change_ref: caller.changeRef ?? run.change_ref,
          hasEnded: run.finished_at !== null,
          items: known,
          observations: noted.map((observation) => ({ ...observation, served: ids.get(observation.key) })),
        };
      });
      const facts_of = await observe(observations, change_ref);
      // Most parts come before the run has ended.
      if (hasEnded) await store.write((trx) => settleActivity(trx, runId, run_no, [...rows.hosts.keys()]));
      const unknown_hosts = [...rows.hosts].flatMap(([host, id]) => (items.has(id ?? '') ? [] : [host]));
      return { run_id: runId, play_id: playId, part, results: body.results.length, unknown_hosts, facts_of };
    },

    async stats(runId, body, caller) {
      const finishedAt = stampOf(body.finished_at, '/finished_at');
      await store.write(async (trx) => {
        const run = await begin(trx, runId, finishedAt, caller);
        const numbers = await wordNumbers(trx, Object.keys(body.hosts));
        await storeCounts(
          trx,
          run.run_no,
          Object.entries(body.hosts).map(([host, counts]) => ({ host_no: numbers.get(host) as number, ...counts })),
        );
        await updateRun(trx, run.run_no, { outcome: body.outcome, finished_at: finishedAt });
        await settleActivity(trx, runId, run.run_no, undefined);
      });
    },
  };
}

function rowOf(body: RunBody, startedAt: string, announcedAt: string, caller: Caller) {
  const { origin, git } = body;
  return {
    announced_at: announcedAt,
    started_at: startedAt,
    playbook: body.playbook,
    path: body.path ?? null,
    ansible_version: body.ansible_version ?? null,
    shim_version: body.shim_version ?? null,
    user_name: body.user ?? null,
    controller: body.controller ?? null,
    origin_kind: origin?.kind ?? null,
    origin_url: origin?.url ?? null,
    check_mode: flagOf(body.check),
    diff_mode: flagOf(body.diff),
    limited_to: body.limit ?? null,
    tags: JSON.stringify(body.tags ?? []),
    skip_tags: JSON.stringify(body.skip_tags ?? []),
    git_repo: git?.repo ?? null,
    git_commit: git?.commit ?? null,
    git_branch: git?.branch ?? null,
    git_dirty: flagOf(git?.dirty),
    change_ref: body.change_ref ?? caller.changeRef,
    inventory_version: body.inventory_version ?? null,
  };
}

function flagOf(value: boolean | null | undefined): 0 | 1 | null {
  return value === undefined || value === null ? null : value ? 1 : 0;
}

interface PartRows {
  startedAt: string;
  finishedAt: string | null;
  /** The hosts of the part, with the ids that the inventory gave out. */
  hosts: Map<string, string | null>;
  /** When each result began, in milliseconds since 1970. */
  begun: number[];
  texts: { n: number; texts: string }[];
}

/** A part read and checked, before any of it is stored. Throws `invalid`. */
async function rowsOf(body: PartBody): Promise<PartRows> {
  const faults: Fault[] = [];
  const tasks = new Set(body.tasks.map(({ task_id }) => task_id));
  const rows: PartRows = {
    startedAt: stampOf(body.started_at, '/started_at'),
    finishedAt: body.finished_at ? stampOf(body.finished_at, '/finished_at') : null,
    hosts: new Map(),
    begun: [],
    texts: [],
  };
  for (const [index, result] of body.results.entries()) {
    const { n, task_id, host, ci_id, started_at, msg, attempts, items, diff, delegated_to } = result;
    if (!tasks.has(task_id))
      faults.push({ pointer: `/results/${index}/task_id`, detail: 'is none of the tasks of this part' });
    const begun = millisecondsIn(started_at);
    if (begun === undefined) faults.push({ pointer: `/results/${index}/started_at`, detail: timeForm });
    rows.begun.push(begun ?? 0);
    if (ci_id || !rows.hosts.has(host)) rows.hosts.set(host, ci_id ?? null);
    if (msg ?? attempts ?? items ?? diff ?? delegated_to)
      rows.texts.push({ n, texts: JSON.stringify({ msg, attempts, items, diff, delegated_to }) });
    if (index % 512 === 0) await turn();
  }
  if (faults.length > 0) throw invalid('The part', faults.slice(0, 100));
  return rows;
}

async function storePart(
  trx: Trx,
  run: KnownRun,
  playId: string,
  body: PartBody,
  rows: PartRows,
  items: ReadonlyMap<string, ItemId>,
): Promise<void> {
  const { run_no, base_ms } = run;
  const words = [body.name, ...rows.hosts.keys()];
  for (const { name, action, path } of body.tasks) words.push(name, action, ...(path ? [path] : []));
  const numbers = await wordNumbers(trx, words);
  const number = (word: string) => numbers.get(word) as number;
  await storePlay(trx, {
    run_no,
    play_id: playId,
    play_number: body.number,
    name_no: number(body.name),
    started_at: rows.startedAt,
    finished_at: rows.finishedAt,
  });
  const tasks = await taskNumbers(
    trx,
    run_no,
    body.tasks.map((task) => ({
      run_no,
      task_id: task.task_id,
      play_id: playId,
      name_no: number(task.name),
      action_no: number(task.action),
      path_no: task.path ? number(task.path) : null,
      line: task.line ?? null,
      tags: JSON.stringify(task.tags ?? []),
      handler: task.handler ? 1 : 0,
    })),
  );
  await storeHosts(
    trx,
    run_no,
    [...rows.hosts].map(([host, id]) => ({ host_no: number(host), ci_id: items.get(id ?? '') ?? null })),
  );
  const results: ResultRow[] = body.results.map(({ n, task_id, host, status, duration_ms }, index) => ({
    run_no,
    n,
    task_no: tasks.get(task_id) as number,
    host_no: number(host),
    status: statuses.indexOf(status),
    at_ms: (rows.begun[index] as number) - base_ms,
    duration_ms,
  }));
  await turn();
  await storeResults(
    trx,
    results,
    rows.texts.map((text) => ({ run_no, ...text })),
  );
}

function idsIn({ results, facts }: PartBody): string[] {
  return [...new Set([...results, ...(facts ?? [])].flatMap(({ ci_id }) => ci_id ?? []))];
}

const timeForm = 'must be a time with its zone, such as 2026-03-02T10:00:00Z';
const withZone = /^\d{4}-\d\d-\d\d[T ].*(?:Z|[+-]\d\d:?\d\d)$/;

function millisecondsIn(text: string): number | undefined {
  const isOurForm = text.length === 24 && text.endsWith('Z');
  const milliseconds = isOurForm || withZone.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}

function stampOf(text: string, pointer: string): string {
  const milliseconds = millisecondsIn(text);
  if (milliseconds === undefined) throw invalid('The call', [{ pointer, detail: timeForm }]);
  return new Date(milliseconds).toISOString();
}
