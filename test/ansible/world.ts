/** Users of `ansible/inventory.py`, what they have and what goes wrong for them. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { emptyFolder, inventoryScript, type Outcome, runProgram } from './run-ansible.ts';
import { json, type StandIn, serving, startSocket, startStandIn } from './stand-in.ts';

export const token = 'secret-token-of-this-test';

/** One host, as the service serves it. */
export const inventoryOf = (name: string, variables: object = {}) => ({
  _meta: { hostvars: { [name]: { rollcall: { site: { __ansible_unsafe: 'site-home' } }, ...variables } } },
  all: { hosts: [], children: ['ungrouped', 'site_home'], vars: { rollcall_inventory_version: '7-0123456789ab' } },
  ungrouped: { hosts: [] },
  site_home: { hosts: [name] },
});

export const one = inventoryOf('web-1');
export const refusedByAnsible = { _meta: { hostvars: {} }, rollcall_unavailable: { hosts: [], children: ['all'] } };

export interface World {
  folder: string;
  env: Record<string, string>;
  cache: string;
  list(env?: Record<string, string>): Promise<Outcome>;
  run(words: string[], env?: Record<string, string>): Promise<Outcome>;
}

/** A user with a token and a home of their own. */
export function world(service: { url: string }, own: Record<string, string> = {}): World {
  const folder = emptyFolder();
  const env = { ROLLCALL_URL: service.url, ROLLCALL_TOKEN: token, ...own };
  const run = (words: string[], more: Record<string, string> = {}) =>
    runProgram(inventoryScript, words, { cwd: folder, env: { ...env, ...more } });
  return { folder, env, cache: join(folder, '.cache/rollcall'), run, list: (more) => run(['--list'], more) };
}

/** A world whose script has a copy of `one`, and a service that is down by now. */
export async function worldWithCopy(own: Record<string, string> = {}): Promise<World> {
  const service = await startStandIn(serving(one));
  const made = world(service, own);
  expect(await made.list()).toEqual({ code: 0, stdout: JSON.stringify(one), stderr: '' });
  await service.stop();
  return made;
}

export function theCopy({ cache }: World): string {
  const names = readdirSync(cache);
  expect(names).toHaveLength(1);
  return join(cache, names[0] ?? '');
}

export function makeOlder(path: string, seconds: number): void {
  const text = readFileSync(path, 'latin1');
  const [magic, , ...rest] = text.split(' ');
  const fetched = Math.floor(Date.now() / 1000) - seconds;
  writeFileSync(path, [magic, String(fetched).padStart(20, '0'), ...rest].join(' '), 'latin1');
}

/** One sentence for people, and for Ansible what it refuses as a whole. */
export function expectRefusal(outcome: Outcome, ...words: string[]): void {
  expect(outcome.stderr).toMatch(/^[^\n]+\.\n$/);
  for (const word of words) expect(outcome.stderr).toContain(word);
  expect(outcome.stderr).not.toMatch(/Traceback|secret-token/);
  expect(JSON.parse(outcome.stdout)).toEqual(refusedByAnsible);
  expect(outcome.code).toBe(0);
}

/** An address where nothing listens. */
export async function nowhere(): Promise<{ url: string }> {
  const service = await startStandIn(serving(one));
  await service.stop();
  return service;
}

const started = (answer: StandIn['answer']) => async () => startStandIn(answer);
const socket = (onConnection: Parameters<typeof startSocket>[0]) => async () => ({
  url: await startSocket(onConnection),
});
export const body = JSON.stringify(one);
const okay = { 'Content-Type': 'application/json' };
const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

/** All the ways in which a service is there and gives no inventory, or is not there. */
export const troubles: readonly { trouble: string; says: string; start: () => Promise<{ url: string }> }[] = [
  { trouble: 'is down', says: 'connection refused', start: nowhere },
  { trouble: 'accepts and says nothing', says: 'within 0.4 s', start: socket(() => {}) },
  {
    trouble: 'stalls in the middle of its answer',
    says: 'within 0.4 s',
    start: started((_, response) => response.writeHead(200, okay).write(body.slice(0, 20))),
  },
  {
    trouble: 'trickles headers for ever',
    says: 'within 0.4 s',
    start: socket((peer) => {
      peer.write(head);
      const drip = setInterval(() => peer.write('X-Drip: 1\r\n'), 20);
      peer.once('close', () => clearInterval(drip));
    }),
  },
  {
    trouble: 'closes without an answer',
    says: 'broke off its answer',
    start: socket((peer) => peer.once('data', () => peer.end())),
  },
  {
    trouble: 'cuts off an answer of known length',
    says: 'broke off its answer',
    start: socket((peer) => peer.once('data', () => peer.end(`${head}Content-Length: 9999\r\n\r\n${body}`))),
  },
  {
    trouble: 'cuts off an answer in chunks',
    says: 'broke off its answer',
    start: started((_, response) => {
      response.writeHead(200, okay).write(body.slice(0, 20), () => response.destroy());
    }),
  },
  {
    trouble: 'cuts off an answer of unknown length',
    says: 'not whole JSON',
    start: socket((peer) => peer.once('data', () => peer.end(`${head}\r\n${body.slice(0, -9)}`))),
  },
  {
    trouble: 'cuts off a packed answer',
    says: 'broke off its answer',
    start: started((_, response) =>
      response.writeHead(200, { ...okay, 'Content-Encoding': 'gzip' }).end(gzipSync(body).subarray(0, -6)),
    ),
  },
  {
    trouble: 'sends a damaged packed answer',
    says: 'damaged',
    start: started((_, response) => {
      const packed = gzipSync(body);
      packed.writeUInt32LE(0, packed.length - 8);
      response.writeHead(200, { ...okay, 'Content-Encoding': 'gzip' }).end(packed);
    }),
  },
  { trouble: 'answers HTML', says: 'text/html instead of JSON', start: started(json(200, '<p>Hello', 'text/html')) },
  { trouble: 'answers HTML called JSON', says: 'not whole JSON', start: started(json(200, '<p>Hello')) },
  { trouble: 'answers nothing, called JSON', says: 'not whole JSON', start: started(json(200, '')) },
  { trouble: 'answers another JSON', says: 'not an inventory', start: started(json(200, '{"items":[]}')) },
  { trouble: 'answers an empty object', says: 'not an inventory', start: started(json(200, '{}')) },
  {
    trouble: 'answers an inventory that Ansible would take half of',
    says: 'not sound',
    start: started(json(200, JSON.stringify({ ...one, broken: null }))),
  },
  {
    trouble: 'answers an inventory with a group of no list',
    says: 'not sound',
    start: started(json(200, JSON.stringify({ ...one, broken: { hosts: 'web-1' } }))),
  },
  {
    trouble: 'answers an inventory with a host of no variables',
    says: 'not sound',
    start: started(json(200, JSON.stringify({ ...one, _meta: { hostvars: { 'web-1': null } } }))),
  },
  { trouble: 'says that nothing changed, to nobody', says: 'a copy that is not there', start: started(json(304, '')) },
  {
    trouble: 'fails with 500',
    says: 'answers 500: it broke',
    start: started(json(500, '{"detail":"it broke."}', 'application/problem+json')),
  },
  { trouble: 'is restarting behind a proxy (502)', says: 'answers 502', start: started(json(502, '<p>', 'text/html')) },
  { trouble: 'is too busy (503)', says: 'answers 503', start: started(json(503, '{}')) },
  { trouble: 'is asked too often (429)', says: 'answers 429', start: started(json(429, '{}')) },
  {
    trouble: 'sends elsewhere',
    says: 'answers 302, see https://login.example.org/',
    start: started((_, response) => response.writeHead(302, { Location: 'https://login.example.org/' }).end()),
  },
  { trouble: 'speaks no HTTP', says: 'does not speak HTTP', start: socket((peer) => peer.end('SSH-2.0-OpenSSH\r\n')) },
];

/** Gives the copy of one address to another, as if that had been the service from the start. */
export function moveCopy(world: World, url: string): void {
  const from = theCopy(world);
  const to = createHash('sha256').update(`${url}\n/api/v1/inventory`).digest('hex').slice(0, 16);
  renameSync(from, from.replace(/inventory-[0-9a-f]{16}-/, `inventory-${to}-`));
}

/** Makes the copy one that another boot of this machine made; returns its path. */
export function earlierBoot(world: World): string {
  const from = theCopy(world);
  const to = from.replace(/-[0-9a-z]+\.copy$/, '-0123456789abcdef.copy');
  renameSync(from, to);
  return to;
}

/** An authority, and what it signed: for 127.0.0.1, and for another name. Made by what Ansible brings along. */
export async function certificates(): Promise<{ key: string; cert: string; wrongName: string; ca: string }> {
  const folder = emptyFolder();
  const program = `
import datetime, ipaddress, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
now = datetime.datetime.now(datetime.timezone.utc)
name = lambda text: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
def certificate(subject, key, extension, critical):
    return (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("home authority"))
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(extension, critical).sign(authority, hashes.SHA256()))
authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
alternative = lambda one: x509.SubjectAlternativeName([one])
made = {
    "ca": certificate("home authority", authority, x509.BasicConstraints(True, None), True),
    "cert": certificate("cmdb", key, alternative(x509.IPAddress(ipaddress.ip_address("127.0.0.1"))), False),
    "wrongName": certificate("cmdb", key, alternative(x509.DNSName("another.example.org")), False),
}
for what, one in made.items():
    open(what, "wb").write(one.public_bytes(serialization.Encoding.PEM))
open("key", "wb").write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
`;
  expect(await runProgram('python3', ['-c', program], { cwd: folder })).toEqual({ code: 0, stdout: '', stderr: '' });
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  return { key: read('key'), cert: read('cert'), wrongName: read('wrongName'), ca: join(folder, 'ca') };
}
