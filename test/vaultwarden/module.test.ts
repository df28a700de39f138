/** A vault in the service: whose secrets the settings name, and what its jobs say while it does not open. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { settingsSchema } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { openLog } from '../../src/log.ts';
import { vaultwardenModule } from '../../src/vaultwarden/module.ts';
import type { VaultItem } from '../../src/vaultwarden/vault.ts';
import { secret, startCluster, tokenId } from '../proxmox/cluster.ts';
import { startService, temporaryFolder } from '../service.ts';
import { dump } from '../yaml.ts';
import { canary, idOf, item, key, path, standIn } from './world.ts';

const token = `${tokenId}=${secret}`;

async function houseWith(ref: string, values: Readonly<Record<string, unknown>> = {}) {
  const home = await startCluster();
  home.guest('web');
  const made = standIn({ items: [item(1, 'proxmox/home', token), item(2, 'old', 'x')], ...values });
  writeFileSync(join(made.folder, 'session'), key);
  const logged: string[] = [];
  const { call } = await startService({
    settings: {
      proxmox: { clusters: [{ name: 'home', addresses: [home.url], token: ref }] },
      vaultwarden: { bw: made.bw, session: `file:${join(made.folder, 'session')}` },
    },
    env: { PATH: path, HOME: made.folder },
    log: openLog('debug', 'json', (line) => logged.push(line)),
  });
  const discover = async () => {
    const { status, body } = await call('POST', '/jobs/proxmox-home/run', { wait: true });
    const { outcome, error } = body as { outcome: string; error: string | null };
    return { status, outcome, error };
  };
  return { ...made, home, call, discover, logged };
}

test('the token of a cluster is read from the vault, once in a run of a job', async () => {
  const { discover, runs, home, logged } = await houseWith('vaultwarden:proxmox/home');

  const first = await discover();
  const calls = Object.values(home.calls()).reduce((sum, count) => sum + count, 0);
  const second = await discover();

  expect([first.outcome, second.outcome]).toEqual(['good', 'good']);
  expect(calls).toBeGreaterThan(3);
  expect(runs().map(({ argv }) => argv.slice(2).join(' '))).toEqual(['sync', 'list items', 'list items']);
  expect(logged.join('')).not.toContain(secret);
});

test('a vault that does not open keeps nothing from starting; the job says why, and works once it opens', async () => {
  const { discover, change, call } = await houseWith(`vaultwarden:${idOf(1)}`, { status: 'locked', session: null });

  const locked = await discover();
  const { status } = await call('GET', '/readyz');
  change({ status: 'unlocked', session: key });
  const unlocked = await discover();

  expect(status).toBe(200);
  expect(locked).toMatchObject({
    outcome: 'failed',
    error: expect.stringMatching(
      new RegExp(`^home: The secret vaultwarden:${idOf(1)} is unavailable: The vault is locked\\. Unlock it`),
    ) as string,
  });
  expect(unlocked.outcome).toBe('good');
});

test('an item that is not there is told with the reference', async () => {
  const { discover } = await houseWith('vaultwarden:proxmox');

  expect((await discover()).error).toMatch(
    /^home: The secret vaultwarden:proxmox is unavailable: No item of the vault is called proxmox\./,
  );
});

describe('the start is refused', () => {
  test('where a secret is in a vault, and no vault is named', async () => {
    const clusters = [{ name: 'home', addresses: ['https://127.0.0.1:1'], token: 'vaultwarden:pve' }];

    await expect(startService({ settings: { proxmox: { clusters } } })).rejects.toThrow(
      'proxmox.clusters[0].token: nothing here reads vaultwarden:, only env: and file:',
    );
  });

  test('where the key of the vault is to be read from it', async () => {
    await expect(startService({ settings: { vaultwarden: { session: 'vaultwarden:key' } } })).rejects.toThrow(
      'vaultwarden.session: the key of the vault cannot lie in the vault',
    );
  });
});

describe('the settings', () => {
  const configOf = (vaultwarden: unknown) => {
    const cwd = temporaryFolder();
    dump(join(cwd, 'rollcall.yml'), { vaultwarden });
    return readConfig(settingsSchema, { env: {}, cwd }).vaultwarden;
  };

  test('name the program, and nothing else, unless told otherwise', () => {
    expect(configOf({})).toEqual({ bw: 'bw', watch: {} });
    expect(configOf(null)).toEqual({ bw: 'bw', watch: {} });
  });

  test.each(['unix:///run/rollcall-bw/bw.sock', 'http://127.0.0.1:8087', 'http://localhost:8087', 'http://[::1]:8087'])(
    'take a bw serve of this machine: %s',
    (serve) => {
      expect(configOf({ serve })).toMatchObject({ serve });
    },
  );

  test.each([
    'http://192.0.2.1:8087',
    'http://0.0.0.0:8087',
    'http://vault.lan:8087',
    'http://127.0.0.1.evil.example:8087',
    'http://localhost@evil.example:8087',
    'https://127.0.0.1:8087',
    'unix://relative/bw.sock',
    '/run/bw.sock',
  ])('and no other: %s', (serve) => {
    expect(() => configOf({ serve })).toThrow(
      /vaultwarden\.serve must look like unix:\/\/\/run\/rollcall-bw\/bw\.sock/,
    );
  });

  test('refuse the key itself without showing it', () => {
    expect(() => configOf({ session: canary })).toThrow(/vaultwarden\.session must look like env:NAME/);
    expect(() => configOf({ session: canary })).not.toThrow(canary);
  });
});

describe('of the items of a vault should have a credential', () => {
  const one = (values: Partial<VaultItem>) => ({
    type: 1,
    folder: null,
    deleted_at: null,
    archived_at: null,
    ...values,
  });
  const at = '2026-01-01T00:00:00.000Z';

  test.each<[string, string | undefined, Partial<VaultItem>, boolean]>([
    ['a login', undefined, {}, true],
    ['no note', undefined, { type: 2 }, false],
    ['none in the trash', undefined, { deleted_at: at }, false],
    ['none in the archive', undefined, { archived_at: at }, false],
    ['with a folder, no login outside', 'infra', {}, false],
    ['with a folder, a note in it', 'infra', { type: 2, folder: 'infra' }, true],
    ['with a folder, what is in one below', 'infra', { folder: 'infra/net' }, true],
    ['with a folder, none in another', 'infra', { folder: 'infrared' }, false],
    ['with a folder, none in it that is in the trash', 'infra', { folder: 'infra', deleted_at: at }, false],
  ])('%s', (_, folder, values, expected) => {
    const house = {
      clock: Temporal.Now.instant,
      log: openLog('silent', 'json'),
      secret: () => Promise.reject(new Error()),
    };
    const watch = folder === undefined ? {} : { folder };

    const { isWatched } = vaultwardenModule({}).open(house, { bw: 'bw', watch });

    expect(isWatched(one(values) as VaultItem)).toBe(expected);
  });
});

test('without a vault in the settings there is none', () => {
  const house = {
    clock: Temporal.Now.instant,
    log: openLog('silent', 'json'),
    secret: () => Promise.reject(new Error()),
  };

  const opened = vaultwardenModule({}).open(house, undefined);

  expect(opened.vault).toBeUndefined();
  expect(opened.secretSchemes).toBeUndefined();
  expect(opened.checks).toBeUndefined();
});
