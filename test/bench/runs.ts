/**
 * Results of playbooks: taking them in, against the inserting of the same rows alone; what one takes on disk; and a
 * large run as it is asked for.
 */

import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import Sqlite from 'better-sqlite3';
import { insertInParts } from './inserts.ts';
import { type Service, startService } from './service.ts';
import { type Figure, median, milliseconds } from './table.ts';

const hosts = 500;
const tasks = 100;
const partSize = 5000;
const rounds = 5;
const questions = 11;
const leastShare = 0.5;
const leastPerSecond = 30_000;
const mostMilliseconds = 100;

interface Call {
  path: string;
  body: Buffer;
}

export async function benchRuns(): Promise<Figure[]> {
  const count = hosts * tasks;
  const ours: number[] = [];
  const theirs: number[] = [];
  const service = await startService();
  let before = 0;
  let runId = '';
  for (let round = 0; round <= rounds; round += 1) {
    runId = randomUUID();
    let taken = 0;
    for (const { path, body } of callsOf(runId)) taken += (await put(service, path, body)).ms;
    const inserted = await insertInParts(join(service.data, 'rollcall.db'), runId, partSize);
    // The first one makes everything ready, here as there.
    if (round === 0) before = sizeOf(service);
    else {
      ours.push(taken);
      theirs.push(inserted);
    }
  }
  const bytes = (sizeOf(service) - before) / count / rounds;
  const answer = await asked(service, runId);
  await service.end();
  const [own, peer] = [median(ours), median(theirs)];
  const perSecond = (count / own) * 1000;
  return [
    {
      what: `${count} results of a run of ${hosts} hosts and ${tasks} tasks, in parts of ${partSize}`,
      against: 'better-sqlite3 alone, the same rows in as many transactions',
      theirs: milliseconds(peer),
      ours: milliseconds(own),
      ratio: own / peer,
      limit: `${1 / leastShare} x`,
      isHeld: own <= peer / leastShare,
    },
    {
      what: 'the same, results a second',
      against: '',
      ours: Math.round(perSecond).toLocaleString('en'),
      limit: leastPerSecond.toLocaleString('en'),
      isHeld: perSecond >= leastPerSecond,
    },
    { what: 'on disk, a result', against: '', ours: `${bytes.toFixed(1)} bytes`, limit: '' },
    {
      what: `GET /runs/{id} of that run, ${Math.round(answer.size / 1024)} KiB`,
      against: '',
      ours: milliseconds(answer.ms),
      limit: `${mostMilliseconds} ms`,
      isHeld: answer.ms <= mostMilliseconds,
    },
  ];
}

/** Packed, as the callback plugin sends them. */
async function put(service: Service, path: string, body: Buffer) {
  return await service.call('PUT', `/api/v1${path}`, body, { 'Content-Encoding': 'gzip' });
}

async function asked(service: Service, runId: string): Promise<{ ms: number; size: number }> {
  const times: number[] = [];
  let size = 0;
  for (let question = 0; question < questions; question += 1) {
    const { ms, body } = await service.call('GET', `/api/v1/runs/${runId}`);
    times.push(ms);
    size = body.length;
  }
  return { ms: median(times), size };
}

function callsOf(runId: string): Call[] {
  const start = Date.now();
  const at = (n: number) => new Date(start + n).toISOString();
  const list = Array.from({ length: tasks }, (_, task) => ({
    task_id: `task-${task}`,
    name: `Task number ${task} of the role web`,
    action: 'ansible.builtin.template',
    path: `roles/web/tasks/part${task % 7}.yml`,
    line: task,
    tags: [],
    handler: false,
  }));
  const words = ['ok', 'ok', 'ok', 'changed', 'skipped'];
  const results = Array.from({ length: hosts * tasks }, (_, index) => {
    const n = index + 1;
    const isFailed = index % 500 === 499;
    return {
      n,
      task_id: `task-${Math.floor(index / hosts)}`,
      host: `host-${index % hosts}`,
      status: isFailed ? 'failed' : (words[index % words.length] as string),
      started_at: at(index),
      duration_ms: 20 + (index % 1000),
      ...(isFailed ? { msg: 'non-zero return code' } : {}),
    };
  });
  const parts: Call[] = [];
  for (let from = 0; from < results.length; from += partSize) {
    const own = results.slice(from, from + partSize);
    const ids = new Set(own.map(({ task_id }) => task_id));
    const body = {
      number: 1,
      name: 'Web servers',
      started_at: at(0),
      tasks: list.filter(({ task_id }) => ids.has(task_id)),
      results: own,
    };
    parts.push({ path: `/runs/${runId}/plays/play-1/parts/${parts.length + 1}`, body: packed(body) });
  }
  const none = { ok: 0, changed: 0, failures: 0, unreachable: 0, skipped: 0, rescued: 0, ignored: 0 };
  const totals = Object.fromEntries(Array.from({ length: hosts }, (_, host) => [`host-${host}`, none]));
  return [
    { path: `/runs/${runId}`, body: packed({ playbook: 'site.yml', started_at: at(0) }) },
    ...parts,
    { path: `/runs/${runId}/stats`, body: packed({ finished_at: at(results.length), outcome: 'ok', hosts: totals }) },
  ];
}

function packed(body: unknown): Buffer {
  return gzipSync(JSON.stringify(body));
}

/** Of all that is stored, once what waits in the log beside it is in. */
function sizeOf(service: Service): number {
  const file = join(service.data, 'rollcall.db');
  const database = new Sqlite(file);
  database.pragma('wal_checkpoint(PASSIVE)');
  database.close();
  return statSync(file).size;
}
