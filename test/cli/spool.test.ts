/** `rollcall spool`: what the callback plugin left behind is delivered, and what cannot be is said. */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { json, startStandIn } from '../ansible/stand-in.ts';
import { callsOf, type Sent } from '../runs/calls.ts';
import { startService, temporaryFolder } from '../service.ts';
import { run } from './run.ts';

const runId = '73e2874e-2aa3-42ec-b7ec-9dd711a27b5b';

function spool(folder: string, service: string, calls: readonly Sent[]): void {
  mkdirSync(folder, { recursive: true });
  for (const [index, { method, path, body }] of calls.entries()) {
    const head = JSON.stringify({ rollcall_call: 1, service, method, path: `/api/v1${path}` });
    const name = `20260302T100000.000Z-73e2874e-${String(index + 1).padStart(6, '0')}-abcdef01.call`;
    writeFileSync(join(folder, name), Buffer.concat([Buffer.from(`${head}\n`), gzipSync(JSON.stringify(body))]));
  }
}

async function world() {
  const service = await startService();
  const folder = join(service.folder, 'spool');
  const env = { ROLLCALL_URL: service.url, ROLLCALL_TOKEN: service.adminToken, ROLLCALL_SPOOL_DIR: folder };
  const rollcall = (...words: string[]) => run(['spool', ...words], { folder: service.folder, env });
  return { service, folder, rollcall };
}

test('what waits is listed and delivered', async () => {
  const { service, folder, rollcall } = await world();
  const calls = callsOf({ runId, plays: [{ name: 'All', tasks: { Do: [{ host: 'web-1', status: 'ok' }] } }] });
  expect((await rollcall('list')).stdout).toBe(`Nothing waits in ${folder}.\n`);
  spool(folder, 'http://127.0.0.1:7373', calls);

  const listed = await rollcall();
  const flushed = await rollcall('flush');

  expect(listed.stdout).toMatch(/waits +\d+ +http:\/\/127\.0\.0\.1:7373 +\/runs\/73e2874e-\S+\/stats$/m);
  expect(flushed).toMatchObject({ code: 0, stdout: 'Delivered 3 calls.\n', stderr: '' });
  expect(readdirSync(folder)).toEqual([]);
  expect((await service.call('GET', `/runs/${runId}`)).body).toMatchObject({ outcome: 'ok', host_count: 1 });
});

test('what is refused, for another service, or damaged stays, and is said', async () => {
  const { folder, rollcall } = await world();
  const [first, second] = callsOf({
    runId,
    plays: [{ name: 'All', tasks: { Do: [{ host: 'web-1', status: 'ok' }] } }],
  });
  spool(folder, 'http://127.0.0.1:7373', [{ ...(first as Sent), body: { playbook: 7 } }]);
  spool(folder.replace('spool', 'other'), 'https://cmdb.example.org', [second as Sent]);
  writeFileSync(join(folder, 'zz.call'), 'nonsense');
  const cut = { service: 'http://127.0.0.1:7373', method: 'PUT', path: `/api/v1/runs/${runId}/stats` };
  writeFileSync(join(folder, 'zy.call'), `${JSON.stringify(cut)}\nnot packed`);
  const other = readdirSync(folder.replace('spool', 'other'))[0] as string;
  const { readFileSync } = await import('node:fs');
  writeFileSync(join(folder, `z-${other}`), readFileSync(join(folder.replace('spool', 'other'), other)));

  const { code, stderr } = await rollcall('flush');

  expect(code).toBe(2);
  expect(stderr).toContain('was refused, and is kept as');
  expect(stderr).toContain('Calls for https://cmdb.example.org still wait; set ROLLCALL_URL');
  expect(stderr).toContain('zz.call is damaged');
  expect(stderr).toContain('zy.call is damaged');
  expect(readdirSync(folder).filter((name) => name.endsWith('.refused'))).toHaveLength(1);
  expect((await rollcall('list')).stdout).toContain('refused');
});

test('what a playbook delivers at the same time is neither sent again nor missed', async () => {
  const calls = callsOf({ runId, plays: [{ name: 'All', tasks: { Do: [{ host: 'web-1', status: 'ok' }] } }] });
  const { url, asked } = await startStandIn((_, response) => {
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    json(asked.length === 1 ? 200 : 400, '{}')(_, response);
  });
  const home = temporaryFolder();
  const folder = join(home, 'spool');
  const env = { ROLLCALL_URL: url, ROLLCALL_TOKEN: 'token', ROLLCALL_SPOOL_DIR: folder };
  spool(folder, url, calls);

  const taken = await run(['spool', 'flush'], { folder: home, env });
  spool(folder, url, calls);
  const refused = await run(['spool', 'flush'], { folder: home, env });

  expect(taken).toMatchObject({ code: 0, stdout: 'Delivered 1 call.\n', stderr: '' });
  expect(refused).toMatchObject({ code: 2, stdout: 'Delivered 0 calls.\n' });
  expect(asked).toHaveLength(2);
});
