/** A service that is not there, or not itself, costs a playbook nothing but the little time that is said, and no result. */

import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type Outcome, unwrapped } from '../ansible/run-ansible.ts';
import { type Answer, json, startSocket, startStandIn } from '../ansible/stand-in.ts';
import { arrivedIn, heard, oneRun, told } from './arrived.ts';
import { type Project, plugin, project, small } from './project.ts';
import { hanging, startRecorder, taking } from './recorder.ts';
import { called, type Held, held, type Timed } from './service.ts';

const text = readFileSync(plugin, 'utf8');
const impatient = text.replace('PATIENCE_SECONDS = 9.5', 'PATIENCE_SECONDS = 1');
const problem = (status: number, detail: string) =>
  json(status, JSON.stringify({ detail }), 'application/problem+json');

/** What stands on stderr, in one line each. */
const warnings = ({ stderr }: Outcome) =>
  unwrapped(stderr)
    .split(/(?=\[WARNING\])/)
    .filter((line) => line !== '');

/** The calls of a whole run. */
const whole = ['', '/parts/1', '/parts/1', '/stats'];

function expectAllSpooled({ spool, spooled, files, heard: events }: Project): void {
  expect(spooled().map(({ what }) => what.replace(/^.*\/parts/, '/parts'))).toEqual(whole);
  expect(told(oneRun(spooled()))).toEqual(heard(events()));
  expect(files().map((name) => statSync(join(spool, name)).mode & 0o777)).toEqual(files().map(() => 0o600));
  expect(statSync(spool).mode & 0o777).toBe(0o700);
}

/** An address where nothing listens. */
async function nowhere(): Promise<string> {
  const service = await startStandIn(taking);
  await service.stop();
  return service.url;
}

const answering = (answer: Answer) => async () => (await startRecorder(answer)).url;
const drip = () =>
  startSocket((peer) => {
    const dripping = setInterval(() => peer.write('HTTP/1.1 100 Continue\r\n\r\n'), 20);
    peer.once('close', () => clearInterval(dripping));
  });

const troubles: readonly { says: string; start: () => Promise<string>; text?: string }[] = [
  { says: 'answers 500: it broke', start: answering(problem(500, 'it broke.')) },
  { says: 'cannot be reached (connection refused)', start: nowhere },
  { says: 'did not answer in time', start: drip, text: impatient },
];

test('while the service is in trouble, all results wait in the spool, and the playbook ends as it would', async () => {
  const tried = await Promise.all(
    troubles.map(async ({ says, start, ...more }) => ({ says, ...project({ url: await start(), ...more }) })),
  );

  const outcomes = await Promise.all(tried.map(({ play }) => play()));

  expect(outcomes.map(({ code }) => code)).toEqual(tried.map(() => 0));
  expect(outcomes.map(warnings)).toEqual(tried.map(({ says }) => [expect.stringContaining(says)]));
  expect(outcomes.map(warnings)).toEqual(
    tried.map(({ spool }) => [expect.stringContaining(`4 calls with the results of site.yml wait in ${spool}`)]),
  );
  for (const one of tried) expectAllSpooled(one);
});

test('what becomes of a call is decided by what a service answers, and how', async () => {
  const hangsUp = (words = '') => startSocket((peer) => peer.once('data', () => peer.end(words)));
  const cases: readonly [string, Promise<string>][] = [
    ['taken', answering(json(201, '{"run_id":"x"}'))()],
    ['later: answers 429', answering(problem(429, 'later'))()],
    ['later: answers 408', answering(json(408, ''))()],
    ['later: answers 502', answering(json(502, '<p>', 'text/html'))()],
    ['later: answers 200 with text/html', answering(json(200, '<p>', 'text/html'))()],
    ['later: answers 200 with application/json', answering(json(200, '"{}"'))()],
    ['later: answers 200 with application/json', answering(json(200, '{"half":'))()],
    ['later: answers 204', answering((_, response) => response.writeHead(204).end())()],
    ['later: answers 302', answering((_, response) => response.writeHead(302, { Location: '/' }).end())()],
    ['later: answers 404 with text/html', answering(json(404, '', 'text/html'))()],
    ['later: does not accept the token from ROLLCALL_TOKEN (401: no)', answering(problem(401, 'no'))()],
    ['later: does not accept the token from ROLLCALL_TOKEN (403: no)', answering(problem(403, 'no'))()],
    ['later: broke off its answer', hangsUp()],
    ['later: broke off its answer', hangsUp('SSH-2.0-OpenSSH\r\n')],
    ['later: broke off its answer', hangsUp('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}')],
    ['later: did not answer in time', answering(hanging)()],
    ['later: did not answer in time', drip()],
    ['later: is not found: no', Promise.resolve('http://nobody.invalid:7373')],
    ['never: 400: /n: must be', answering(problem(400, '/n: must be'))()],
    ['never: 409', answering(problem(409, 'no'))()],
    ['never: 413', answering(json(413, '<p>', 'text/html'))()],
    ['never: 422', answering(problem(422, 'no'))()],
  ];

  const outcomes = await called(await Promise.all(cases.map(([, url]) => url)));

  expect(outcomes).toEqual(cases.map(([says]) => expect.stringContaining(says)));
});

test('the next run delivers what waits, in order, and then there is nothing to say', async () => {
  const recorder = await startRecorder(problem(503, 'starting'));
  const { play, files, heard: events } = project({ age: 'oldest', url: recorder.url });
  const down = await play();
  recorder.answer = taking;

  const up = await play();

  expect([down.code, up.code]).toEqual([0, 0]);
  expect(warnings(up)).toEqual([]);
  expect(files()).toEqual([]);
  const runs = [...arrivedIn(recorder.calls).values()];
  expect(runs.flatMap((run) => told(run)).sort()).toEqual(heard(events()));
  expect(recorder.calls.map(({ what }) => what.replace(/^.*\/parts/, '/parts'))).toEqual([...whole, ...whole]);
  expect(new Set(recorder.calls.slice(0, 4).map(({ run }) => run)).size).toBe(1);
});

test('a service that hangs, or takes long, holds up a run for ten seconds in all, and for thirty on a CI runner', async () => {
  const runs: readonly [least: number, most: number, run: Omit<Timed, 'plays' | 'playSeconds'>][] = [
    [9, 10, { answers: [null] }],
    [9, 10, { answers: [null], lateSeconds: 0.2 }],
    [9, 10, { answers: [null], syncSeconds: 0.1 }],
    [9, 10, { answers: [0.2, 0.2, 0.2, null] }],
    [5, 10, { answers: [null, 0.2, null, 0.2, null] }],
    [9, 10, { answers: [0.9] }],
    [28, 30, { answers: [null], ci: true }],
  ];

  const outcomes = await held(runs.map(([, , run]) => ({ plays: 20, playSeconds: 0.1, ...run })));

  for (const [index, [least, most, run]] of runs.entries()) {
    const { seconds, waiting } = outcomes[index] as Held;
    expect(seconds, JSON.stringify(run)).toBeGreaterThan(least);
    expect(seconds, JSON.stringify(run)).toBeLessThanOrEqual(most);
    expect(waiting, JSON.stringify(run)).toBeGreaterThan(0);
  }
});

test('a service that answers is given all, however long the run', async () => {
  const outcomes = await held([
    { plays: 100, playSeconds: 5, answers: [0.1] },
    { plays: 3, playSeconds: 0.1, answers: [0.9] },
    { plays: 500, playSeconds: 60, answers: [0.9] },
  ]);

  expect(outcomes.map(({ waiting }) => waiting)).toEqual([0, 0, 0]);
});

test('a service that comes back while the playbook runs has all of it at the end', async () => {
  let refusals = 0;
  const recorder = await startRecorder((request, response) => {
    refusals += 1;
    recorder.answer = taking;
    problem(503, 'restarting')(request, response);
  });
  const { play, files, heard: events } = project({ url: recorder.url });

  const outcome = await play();

  expect(refusals).toBe(1);
  expect(warnings(outcome)).toEqual([]);
  expect(files()).toEqual([]);
  expect(told(oneRun(recorder.calls))).toEqual(heard(events()));
});

test('a call that is refused is set aside and said, and the others arrive', async () => {
  const { url } = await startStandIn((request, response) => {
    const large = request.url?.includes('/parts/');
    (large ? problem(413, 'more than I read') : taking)(request, response);
  });
  const { play, files } = project({ url });

  const outcome = await play();

  expect(outcome.code).toBe(0);
  expect(warnings(outcome)).toEqual([
    expect.stringMatching(/refused 2 calls \(413: more than I read\), kept as .*\.refused/),
  ]);
  expect(files().every((name) => name.endsWith('.call.refused'))).toBe(true);
  expect(files()).toHaveLength(2);
});

test('one call that breaks the service does not keep back the others', async () => {
  const service = await startStandIn((request, response) => {
    if (request.url?.startsWith(`/api/v1/runs/${broken}`)) problem(500, 'it broke')(request, response);
    else taking(request, response);
  });
  const { play, spool, files } = project({ url: service.url });
  const [broken] = leaveCalls(spool, service, 2);

  const outcome = await play();

  expect(warnings(outcome)).toEqual([]);
  expect(files()).toHaveLength(1);
  expect(new Set(service.asked.map(({ url }) => url)).size).toBe(2 + 4);
});

test('what waits for one service is not given to another', async () => {
  const recorder = await startRecorder();
  const { play, spool, files } = project({ url: recorder.url });
  leaveCalls(spool, { url: 'http://192.0.2.1:7373' }, 3);

  const { stderr } = await play();

  expect(stderr).toBe('');
  expect(recorder.calls).toHaveLength(4);
  expect(files()).toHaveLength(3);
});

test('two controllers that deliver the same spool at once send each call once', async () => {
  const recorder = await startRecorder();
  const tried = project({ url: recorder.url });
  const waiting = leaveCalls(tried.spool, recorder, 60);

  const outcomes = await Promise.all([tried.play(), tried.play()]);

  expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
  expect(outcomes.flatMap(warnings)).toEqual([]);
  expect(tried.files()).toEqual([]);
  const sent = recorder.calls.map(({ run, what }) => run + what);
  expect(new Set(sent).size).toBe(sent.length);
  expect(sent).toHaveLength(60 + 8);
  expect(waiting.filter((call) => !sent.includes(call))).toEqual([]);
});

/** Calls of earlier runs, as they lie in a spool. */
function leaveCalls(spool: string, { url }: { url: string }, count: number): string[] {
  mkdirSync(spool, { mode: 0o700 });
  const service = createHash('sha256').update(url).digest('hex').slice(0, 8);
  return Array.from({ length: count }, (_, number) => {
    const run = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
    const head = JSON.stringify({ rollcall_call: 1, service: url, method: 'PUT', path: `/api/v1/runs/${run}` });
    const name = `20260101T000000.000Z-${run.slice(0, 8)}-${String(number).padStart(6, '0')}-${service}.call`;
    writeFileSync(join(spool, name), Buffer.concat([Buffer.from(`${head}\n`), gzipSync('{}')]), { mode: 0o600 });
    return run;
  });
}

test('what cannot be written to the spool arrives while the service is there, and else is said to be lost', async () => {
  const recorder = await startRecorder();
  // As on a full disk: no file may grow beyond half a kilobyte, which the results, with that name, do.
  const playbook = small.replace('name: one', `name: ${randomBytes(1000).toString('hex')}`);
  const tried = project({
    url: recorder.url,
    files: { 'site.yml': playbook },
    env: { REFERENCE_LOG: '/dev/null', PYTHONDONTWRITEBYTECODE: '1' },
  });
  const full = ['/bin/sh', '-c', 'ulimit -f 1; exec "$@"', 'sh'];

  const up = await tried.start({}, full).done;
  recorder.answer = problem(500, 'it broke');
  const down = await tried.start({}, full).done;

  expect([up.code, down.code]).toEqual([0, 0]);
  expect(warnings(up)).toEqual([]);
  expect(oneRun(recorder.calls)).toMatchObject({ parts: [{ number: 1 }, { number: 2 }], stats: { outcome: 'ok' } });
  expect(warnings(down)).toEqual([
    expect.stringMatching(
      /answers 500: it broke; 3 calls .* wait in .*; 1 call of run [0-9a-f-]{36} of site.yml are lost: .*file too large/,
    ),
  ]);
  expect(tried.files()).toHaveLength(3);
});

test('the spool stays within its bound, and what is dropped is said', async () => {
  const tight = text.replace('SPOOL_BYTES = 64 * 1024 * 1024', 'SPOOL_BYTES = 1000');
  const tried = project({ url: await nowhere(), text: tight });

  const outcome = await tried.play();

  expect(outcome.code).toBe(0);
  expect(warnings(outcome)).toEqual([expect.stringMatching(/[12] calls? were dropped, as the oldest, from/)]);
  const left = readdirSync(tried.spool).map((name) => statSync(join(tried.spool, name)).size);
  expect(left.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1000);
  expect(tried.spooled().at(-1)?.what).toBe('/stats');
});

test('a CI runner waits longer, and what is lost with it is named', async () => {
  const ci = {
    GITHUB_ACTIONS: 'true',
    GITHUB_SERVER_URL: 'https://github.example.org',
    GITHUB_REPOSITORY: 'acme/infra',
    GITHUB_RUN_ID: '77',
    GITHUB_REF: 'refs/pull/42/merge',
  };
  let refusals = 3;
  const recorder = await startRecorder((request, response) => {
    refusals -= 1;
    if (refusals === 0) recorder.answer = taking;
    problem(503, 'starting')(request, response);
  });
  // It asks again every so often, and here more often than that.
  const hurried = text.replace('CONNECT_SECONDS = 2', 'CONNECT_SECONDS = 0.2');
  const patient = project({ url: recorder.url, env: ci, text: hurried });
  const gone = project({
    url: await nowhere(),
    env: ci,
    text: hurried.replace('CI_PATIENCE_SECONDS = 29.5', 'CI_PATIENCE_SECONDS = 1'),
  });

  const [arrived, lost] = await Promise.all([patient.play(), gone.play()]);

  expect([arrived.code, lost.code]).toEqual([0, 0]);
  expect(warnings(arrived)).toEqual([]);
  expect(oneRun(recorder.calls).run).toMatchObject({
    origin: { kind: 'github-actions', url: 'https://github.example.org/acme/infra/actions/runs/77' },
    change_ref: 'acme/infra#42',
  });
  expect(warnings(lost)).toEqual([
    expect.stringContaining('lost with this CI runner unless that folder is kept (run '),
  ]);
});
