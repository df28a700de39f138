/** How the modules and the plugins on the controller find the service, and what they say where it does not answer. */

import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emptyFolder, runProgram } from '../ansible/run-ansible.ts';
import { json, type StandIn, serving, startStandIn } from '../ansible/stand-in.ts';
import { certificates, troubles } from '../ansible/world.ts';
import { checkout } from './controller.ts';

const program = `
import json, sys
from ansible_collections.rollcall.cmdb.plugins.module_utils.service import Failure, Service, section_of
given, cfg = json.loads(sys.argv[1]), sys.argv[2]
try:
    print(json.dumps(Service(given, section_of(cfg) if cfg else {}).call("GET", "/ci", {"ci_name": "web 1", "site_id": None})))
except Failure as failure:
    print(json.dumps([0, str(failure)]))
`;

interface Place {
  given?: object;
  env?: Record<string, string>;
  folder?: string;
  cfg?: string;
  collections?: string;
}

/** Status and content of an answer, or 0 and why there is none. */
async function call({ given = {}, env = {}, folder = emptyFolder(), cfg = '', collections = checkout }: Place) {
  const words = ['-c', program, JSON.stringify(given), cfg];
  const run = await runProgram('python3', words, { cwd: folder, env: { PYTHONPATH: collections, ...env } });
  expect(run).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(run.stdout) as [status: number, content: unknown];
}

const token = 'a-token-of-this-test';
const put = (folder: string, path: string, text: string) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), `${text}\n`);
  return join(folder, path);
};
const sent = ({ asked }: StandIn) => asked.map(({ headers }) => headers.authorization?.replace('Bearer ', ''));

test('it is asked with the token, packed, under its own path', async () => {
  const service = await startStandIn(serving({ count: 0 }));

  const answer = await call({ given: { url: `${service.url}/cmdb/`, token } });

  expect(answer).toEqual([200, { count: 0 }]);
  expect(service.asked.map(({ method, url }) => [method, url])).toEqual([['GET', '/cmdb/api/v1/ci?ci_name=web+1']]);
  expect(sent(service)).toEqual([token]);
});

test('the token is the one that stands nearest, whichever way it is named', async () => {
  const service = await startStandIn(json(200, '{}'));
  const folder = emptyFolder();
  const copied = join(folder, 'checkout/ansible');
  cpSync(join(checkout, 'plugins'), join(copied, 'plugins'), { recursive: true });
  cpSync(join(checkout, 'ansible_collections'), join(copied, 'ansible_collections'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  put(folder, 'checkout/data/ansible.token', 'of-the-checkout');
  put(folder, 'in-the-cfg', 'cfg');
  const cfg = put(folder, 'ansible.cfg', '[rollcall]\ntoken_file = in-the-cfg ; beside it');
  put(folder, '.config/rollcall/url', service.url);
  put(folder, '.config/rollcall/token', 'login');
  const given = { url: service.url };
  const env = { ROLLCALL_TOKEN: 'env', ROLLCALL_TOKEN_FILE: put(folder, 'in-env', 'env-file') };
  const place = { folder, collections: copied };

  await call({ ...place, given: { ...given, token_command: 'echo given' }, env, cfg });
  await call({ ...place, given, env, cfg });
  await call({ ...place, given, env: { ROLLCALL_TOKEN_FILE: '~/in-env' }, cfg });
  await call({ ...place, given, cfg });
  await call({ ...place, given });
  put(folder, '.config/rollcall/url', 'https://cmdb.example.org');
  await call({ ...place, given });
  const elsewhere = await call({ ...place, given: { url: 'http://192.0.2.1:1' } });

  expect(sent(service)).toEqual(['given', 'env', 'env-file', 'cfg', 'login', 'of-the-checkout']);
  expect(elsewhere).toEqual([
    0,
    expect.stringContaining('No token for Rollcall at http://192.0.2.1:1 was found (that of'),
  ]);
});

test.each<[what: string, place: Place, says: string]>([
  ['a token in ansible.cfg', { cfg: 'token = x' }, 'holds token in [rollcall], and such files are shared'],
  ['an address that is none', { given: { url: 'cmdb' } }, 'it looks like https://cmdb.example.org:7373'],
  ['an address with a password', { given: { url: 'http://me:pw@cmdb' } }, 'holds a user or password'],
  ['a length of time that is none', { given: { timeout: 'soon' } }, 'timeout is no length of time'],
  ['a token that cannot be read', { given: { token_file: '/nowhere/x' } }, 'cannot be read from /nowhere/x: no such'],
  ['a command that prints nothing', { given: { token_command: 'true' } }, 'token_command printed no token'],
  ['a token of two words', { given: { token: 'two words' } }, 'holds is no token'],
])('%s is said plainly', async (_, { given, cfg }, says) => {
  const place = { given: { token, ...given }, cfg: cfg ? put(emptyFolder(), 'ansible.cfg', `[rollcall]\n${cfg}`) : '' };
  const [status, sentence] = await call(
    'token_file' in (given ?? {}) || 'token_command' in (given ?? {}) ? { ...place, given: given ?? {} } : place,
  );

  expect([status, sentence]).toEqual([0, expect.stringContaining(says)]);
});

/** What only an inventory can be. */
const ofInventories = ['not an inventory', 'not sound', 'a copy that is not there'];

describe('a service that', () => {
  test.each(troubles.filter(({ says }) => !ofInventories.includes(says)))('$trouble', async ({ start, says }) => {
    const { url } = await start();

    const [status, sentence] = await call({ given: { url, token, timeout: '0.4' } });

    expect([status, sentence]).toEqual([0, expect.stringContaining(`Rollcall at ${url} `)]);
    expect(sentence).toContain(says);
  });
});

test('https is trusted by the certificates that are named, and by no others', async () => {
  const { key, cert, wrongName, ca } = await certificates();
  const good = await startStandIn(json(200, '{}'), { key, cert });
  const other = await startStandIn(json(200, '{}'), { key, cert: wrongName });

  expect(await call({ given: { url: good.url, token, ca } })).toEqual([200, {}]);
  expect((await call({ given: { url: good.url, token } }))[1]).toContain('unable to get local issuer certificate');
  expect((await call({ given: { url: other.url, token, ca } }))[1]).toContain('ip address mismatch');
  expect(sent(good)).toEqual([token]);
  expect(other.asked).toEqual([]);
});
