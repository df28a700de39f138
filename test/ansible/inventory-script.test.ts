/** What `ansible/inventory.py` prints of services that are well, ill, and something else altogether. */

import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { json, serving, startStandIn } from './stand-in.ts';
import {
  body,
  certificates,
  earlierBoot,
  expectRefusal,
  inventoryOf,
  makeOlder,
  moveCopy,
  nowhere,
  one,
  theCopy,
  token,
  troubles,
  world,
  worldWithCopy,
} from './world.ts';

describe('a service that is well', () => {
  test('is asked with the token, and its answer is printed byte for byte and in silence', async () => {
    const spaced = JSON.stringify(one, null, 3);
    const service = await startStandIn(json(200, spaced));
    const { list } = world(service);

    const outcome = await list();

    expect(outcome).toEqual({ code: 0, stdout: spaced, stderr: '' });
    expect(service.asked[0]).toMatchObject({
      method: 'GET',
      url: '/api/v1/inventory',
      headers: { authorization: `Bearer ${token}`, 'accept-encoding': 'gzip' },
    });
    expect(service.asked[0]?.headers).not.toHaveProperty('if-none-match');
  });

  test('is asked only whether anything changed, once there is a copy', async () => {
    const service = await startStandIn(serving(one));
    const { list } = world(service);
    await list();
    const second = await list();
    service.answer = serving(inventoryOf('web-2'));
    const third = await list();

    expect(second).toEqual({ code: 0, stdout: body, stderr: '' });
    expect(third.stdout).toBe(JSON.stringify(inventoryOf('web-2')));
    expect(service.asked.map(({ headers }) => headers['if-none-match'] !== undefined)).toEqual([false, true, true]);
  });

  test('is told by a hash which machine and boot asks', async () => {
    const service = await startStandIn(serving(one));
    await world(service).list();

    const read = (path: string) => {
      try {
        return readFileSync(path, 'utf8').trim();
      } catch {
        return '';
      }
    };
    const text = `${read('/proc/sys/kernel/random/boot_id')}\n${hostname()}\n${read('/etc/machine-id')}`;
    const hash = createHash('sha256').update(text).digest('hex');
    expect(service.asked[0]?.headers['x-rollcall-controller']).toBe(hash);
  });

  test('is asked for one site, and for held and stopped hosts, each with a copy of its own', async () => {
    const service = await startStandIn(serving(one));
    const { list, cache } = world(service);

    await list({ ROLLCALL_SITE: 'site ranch', ROLLCALL_INCLUDE: 'held, stopped' });
    await list({ ROLLCALL_SITE: 'site ranch' });
    await list();

    expect(service.asked.map(({ url }) => url)).toEqual([
      '/api/v1/inventory?site_id=site+ranch&include=held,stopped',
      '/api/v1/inventory?site_id=site+ranch',
      '/api/v1/inventory',
    ]);
    expect(readdirSync(cache)).toHaveLength(3);
  });

  test('may stand behind a proxy under a path', async () => {
    const service = await startStandIn(serving(one));

    const outcome = await world({ url: `${service.url}/cmdb/` }).list();

    expect(outcome.code).toBe(0);
    expect(service.asked[0]?.url).toBe('/cmdb/api/v1/inventory');
  });

  test('is reached without any proxy of the environment', async () => {
    const service = await startStandIn(serving(one));

    const outcome = await world(service, { http_proxy: 'http://127.0.0.1:9', ALL_PROXY: 'http://127.0.0.1:9' }).list();

    expect(outcome).toEqual({ code: 0, stdout: body, stderr: '' });
  });

  test('gives the variables of one host', async () => {
    const service = await startStandIn(json(200, '{"rollcall":{"vmid":102}}'));
    const { run } = world(service);

    const outcomes = await Promise.all([run(['--host', 'web 1']), run(['--host=web 1'])]);

    for (const outcome of outcomes)
      expect(outcome).toEqual({ code: 0, stdout: '{"rollcall":{"vmid":102}}', stderr: '' });
    expect(service.asked.map(({ url }) => url)).toEqual(Array(2).fill('/api/v1/inventory?host=web+1'));
  });

  test('is trusted over https by the certificates that ROLLCALL_CA names, and by no others', async () => {
    const { key, cert, wrongName, ca } = await certificates();
    const [service, other] = await Promise.all([
      startStandIn(serving(one), { key, cert }),
      startStandIn(serving(one), { key, cert: wrongName }),
    ]);
    const { list } = world(service);

    expect(await list({ ROLLCALL_CA: ca })).toEqual({ code: 0, stdout: body, stderr: '' });
    const [unknown, misnamed, noFile] = await Promise.all([
      world(service).list(),
      world(other).list({ ROLLCALL_CA: ca }),
      list({ ROLLCALL_CA: '/nowhere.pem' }),
    ]);
    expectRefusal(unknown, 'cannot be reached (', 'certificate');
    expectRefusal(misnamed, 'cannot be reached (', '127.0.0.1');
    expectRefusal(noFile, '/nowhere.pem', 'ROLLCALL_CA');
    expect(other.asked).toEqual([]);
  });
});

describe('a service that', () => {
  test.each(troubles)('$trouble stops the run where there is no copy', async ({ says, start }) => {
    const service = await start();

    const outcome = await world(service, { ROLLCALL_TIMEOUT: '0.4' }).list();

    expectRefusal(outcome, `Rollcall at ${service.url} `, says, 'there is no copy');
  });

  test.each(troubles.filter(({ trouble }) => !trouble.includes('nothing changed')))(
    '$trouble is stood in for by the copy, which is said with its age',
    async ({ says, start }) => {
      const world = await worldWithCopy({ ROLLCALL_TIMEOUT: '0.4' });
      const service = await start();
      moveCopy(world, service.url);

      const outcome = await world.list({ ROLLCALL_URL: service.url });

      expect(outcome).toMatchObject({ code: 0, stdout: body });
      expect(outcome.stderr).toMatch(
        /^Rollcall at \S+ [^\n]+: using the copy of its last answer, which is \d+ s old\.\n$/,
      );
      expect(outcome.stderr).toContain(says);
    },
  );

  test.each([401, 403])('answers %i is never stood in for', async (status) => {
    const service = await startStandIn(serving(one));
    const { list } = world(service);
    await list();
    service.answer = json(status, '{"detail":"No."}', 'application/problem+json');

    expectRefusal(await list(), `Rollcall at ${service.url} `, 'the token from ROLLCALL_TOKEN', `(${status})`);
  });

  test.each([400, 404])('refuses the question with %i is never stood in for', async (status) => {
    const service = await startStandIn(serving(one));
    const { list } = world(service);
    await list();
    service.answer = json(status, '{"detail":"No site is named ranch."}', 'application/problem+json');

    expectRefusal(await list(), `(${status}: No site is named ranch)`);
  });

  test('repeats the token in its refusal does not get it printed', async () => {
    const service = await startStandIn(json(400, `{"detail":"The token ${token} \\u001b[31mis\\n odd."}`));

    expectRefusal(await world(service).list(), 'The token *** [31mis odd');
  });

  test('is down gives the variables of one host from the copy', async () => {
    const { run } = await worldWithCopy();

    const [known, unknown] = await Promise.all([run(['--host', 'web-1']), run(['--host', 'web-9'])]);

    expect(JSON.parse(known.stdout)).toEqual(one._meta.hostvars['web-1']);
    expect(known.code).toBe(0);
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
  });

  test('is down and has no copy fails plainly for one host', async () => {
    const outcome = await world(await nowhere()).run(['--host', 'web-1']);

    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toMatch(/^Rollcall at [^\n]+\.\n$/);
  });
});

describe('the copy', () => {
  test('is for its user alone', async () => {
    const world = await worldWithCopy();

    expect(statSync(world.cache).mode & 0o777).toBe(0o700);
    expect(statSync(theCopy(world)).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['', 25 * 3600, '1 day old', '24h'],
    ['90', 110, '1 minute old', '90'],
    ['30s', 40, ' s old', '30s'],
    ['15m', 16 * 60, '16 minutes old', '15m'],
    ['1.5h', 2 * 3600, '2 hours old', '1.5h'],
    ['2d', 3 * 86400, '3 days old', '2d'],
  ])('past ROLLCALL_MAX_STALE=%s is not used, and the sentence names both', async (limit, age, old, shown) => {
    const world = await worldWithCopy(limit ? { ROLLCALL_MAX_STALE: limit } : {});
    const copy = theCopy(world);

    makeOlder(copy, age);
    expectRefusal(await world.list(), old, `ROLLCALL_MAX_STALE allows (${shown})`, copy);
    makeOlder(copy, age / 2);
    expect(await world.list()).toMatchObject({ code: 0, stdout: body });
  });

  test('is never used where ROLLCALL_MAX_STALE is 0', async () => {
    const world = await worldWithCopy();

    expectRefusal(await world.list({ ROLLCALL_MAX_STALE: '0' }), 'ROLLCALL_MAX_STALE is 0', theCopy(world));
  });

  test('from the future is not used', async () => {
    const world = await worldWithCopy();
    makeOlder(theCopy(world), -3600);

    expectRefusal(await world.list(), 'dated in the future', theCopy(world));
  });

  test('is as young as the last time that the service called it current', async () => {
    const service = await startStandIn(serving(one));
    const made = world(service);
    await made.list();
    makeOlder(theCopy(made), 48 * 3600);
    await made.list();
    await service.stop();

    const outcome = await made.list();

    expect(outcome).toMatchObject({ code: 0, stdout: body });
    expect(outcome.stderr).toMatch(/which is \d+ s old/);
  });

  test('that was damaged is neither used nor asked about', async () => {
    const service = await startStandIn(serving(one));
    const made = world(service);
    await made.list();
    const damage = () => writeFileSync(theCopy(made), readFileSync(theCopy(made), 'utf8').replace('web-1', 'web-9'));

    damage();
    expect(await made.list()).toEqual({ code: 0, stdout: body, stderr: '' });
    expect(service.asked[1]?.headers).not.toHaveProperty('if-none-match');
    damage();
    await service.stop();
    expectRefusal(await made.list(), 'there is no copy');
  });

  test('that others may write is not used', async () => {
    const world = await worldWithCopy();
    chmodSync(theCopy(world), 0o666);

    expectRefusal(await world.list(), 'there is no copy');
  });

  test('goes where ROLLCALL_CACHE_DIR or XDG_CACHE_HOME says', async () => {
    const { list, folder } = world(await startStandIn(serving(one)));

    await list({ XDG_CACHE_HOME: join(folder, 'xdg') });
    await list({ ROLLCALL_CACHE_DIR: '~/own' });

    expect(readdirSync(join(folder, 'xdg/rollcall'))).toHaveLength(1);
    expect(readdirSync(join(folder, 'own'))).toHaveLength(1);
  });

  test('that cannot be written is done without, in silence', async () => {
    const service = await startStandIn(serving(one));
    const made = world(service);
    writeFileSync(join(made.folder, 'file'), '');
    const unwritable = { ROLLCALL_CACHE_DIR: join(made.folder, 'file') };

    expect(await made.list(unwritable)).toEqual({ code: 0, stdout: body, stderr: '' });
    await service.stop();
    expectRefusal(await made.list(unwritable), 'there is no copy');
  });

  test('is whole whatever runs at once', async () => {
    let count = 0;
    const bodies = new Set<string>();
    const service = await startStandIn((request, response) => {
      count += 1;
      const content = inventoryOf(`web-${count}`, { padding: 'x'.repeat(300_000) });
      bodies.add(JSON.stringify(content));
      serving(content)(request, response);
    });
    const { list, cache } = world(service);

    const outcomes = await Promise.all(Array.from({ length: 12 }, () => list()));
    await service.stop();
    const afterwards = await list();

    expect(outcomes.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(12).fill({ code: 0, stderr: '' }));
    expect(new Set(outcomes.map(({ stdout }) => stdout))).toEqual(bodies);
    expect(bodies).toContain(afterwards.stdout);
    expect(readdirSync(cache)).toHaveLength(1);
  });

  test('of an earlier boot is used, unless it calls a host local', async () => {
    const plain = await worldWithCopy();
    earlierBoot(plain);
    expect(await plain.list()).toMatchObject({ code: 0, stdout: body });

    for (const variable of ['local', 'ansible.builtin.local', { __ansible_unsafe: 'local' }]) {
      const service = await startStandIn(serving(inventoryOf('web-1', { ansible_connection: variable })));
      const local = world(service);
      await local.list();
      await service.stop();
      expect(await local.list()).toMatchObject({ code: 0 });
      earlierBoot(local);
      expectRefusal(await local.list(), 'there is no copy');
    }
  });

  test('of an earlier boot goes in time, and so does what a killed process left', async () => {
    const service = await startStandIn(serving(one));
    const made = world(service);
    await made.list();
    const old = earlierBoot(made);
    writeFileSync(`${old}.123.draft`, 'half');
    for (const path of [old, `${old}.123.draft`]) utimesSync(path, 0, 0);

    await made.list();

    expect(readdirSync(made.cache)).toHaveLength(1);
    expect(theCopy(made)).not.toBe(old);
  });
});
