/** What the README shows does what it says. */

import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startService, temporaryFolder } from './service.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

function blocksOf(language: string, heading: string): string[] {
  const section = readme.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map((match) => match[1] as string);
}

test('the calls with curl register a machine, describe it, find it and retire it', async () => {
  const { url, adminToken, call } = await startService();
  const [script] = blocksOf('sh', 'The API by example') as [string];

  const { status, stderr } = await run('bash', ['--norc', '-euc', script], { URL: `${url}/api/v1`, TOKEN: adminToken });

  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect((await call('GET', '/ci/app-1')).body).toMatchObject({ ci_status: 'retired', owner: 'alice', tags: ['web'] });
  expect((await call('GET', '/changes?change_ref=acme/infra%2342')).body).toMatchObject({ count: 1 });
});

test('the Python client is of forty lines, registers guests, and says what is wrong with one', async () => {
  const { url, adminToken, call } = await startService();
  const [client] = blocksOf('python', 'The API by example') as [string];
  const file = join(temporaryFolder(), 'client.py');
  writeFileSync(file, client);
  const env = { ROLLCALL_URL: url, ROLLCALL_TOKEN: adminToken };
  const guest = {
    ci_name: 'web-1',
    ci_type: 'virtual_machine',
    ci_status: 'running',
    technical_specs: { vmid: 101, memory_mb: 2048 },
  };

  const first = await run('python3', [file], env, JSON.stringify([guest]));
  const second = await run('python3', [file], env, JSON.stringify([guest]));
  const wrong = await run('python3', [file], env, JSON.stringify([{ ...guest, technical_specs: { memory_mb: '2G' } }]));

  expect(client.trim().split('\n').length).toBeLessThanOrEqual(40);
  expect(first).toMatchObject({ status: 0, stdout: expect.stringMatching(/^[0-9a-f-]{36} web-1 running\n$/) });
  expect(second).toEqual(first);
  expect(wrong).toMatchObject({ status: 1, stderr: expect.stringContaining('/technical_specs/memory_mb: must be') });
  expect((await call('GET', '/ci/web-1/changes')).body).toMatchObject({ count: 1 });
});

test('every file that it names is there', () => {
  const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)]
    .map((match) => match[1] as string)
    .filter((link) => !link.includes('://'));

  expect(links.map((link) => [link, readFileSync(new URL(`../${link}`, import.meta.url)).length > 0])).toEqual(
    links.map((link) => [link, true]),
  );
});

async function run(program: string, words: string[], env: Record<string, string>, input = '') {
  const child = spawn(program, words, { env: { PATH: process.env.PATH ?? '', ...env }, stdio: 'pipe' });
  child.stdin.end(input);
  const [stdout, stderr, status] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  return { status, stdout: stdout.join(''), stderr: stderr.join('') };
}
