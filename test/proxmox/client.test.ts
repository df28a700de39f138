/** The calls themselves: what they ask for, how long they wait, and what they never do. */

import { expect, onTestFinished, test } from 'vitest';
import { openLog } from '../../src/log.ts';
import { openOutbound } from '../../src/outbound/outbound.ts';
import { openApi, part } from '../../src/proxmox/client.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { type SimCluster, secret, startCluster, tokenId } from './cluster.ts';

/** The API of a cluster that is waited for no longer than a moment. */
async function apiOf({ url }: Pick<SimCluster, 'url'>, limit = 15_000) {
  const peers = openOutbound({ log: openLog('silent', 'json') });
  onTestFinished(() => peers.close());
  const outbound = peers.outbound({ name: 'proxmox:home', addresses: [url] }, { attempts: 1 });
  const hurried = {
    ...outbound,
    call: (call: Parameters<typeof outbound.call>[0]) => outbound.call({ ...call, totalMs: limit }),
  };
  return await openApi(hurried, () => Promise.resolve(new Secret(`${tokenId}=${secret}`)));
}

test.each(['hang', 'drip'] as const)('an answer that does not end is given up: %s', async (kind) => {
  const home = await startCluster();
  home.guest('web');
  const api = await apiOf(home, 150);
  home.fault({ match: 'resources', kind, ms: 50 });

  await expect(api.cluster.resources.$get()).rejects.toMatchObject({
    name: 'ProxmoxError',
    kind: 'timeout',
    message: expect.stringContaining('there was no whole answer in 0.15 s') as string,
  });
});

test.each([
  ['pve1', 'pve1'],
  [100, '100'],
  ['a/b', 'a%2Fb'],
  ['a?b#c', 'a%3Fb%23c'],
  ['ä b', '%C3%A4%20b'],
])('a part of a path leads nowhere else: %j', (name, written) => {
  expect(part(name)).toBe(written);
});

test.each(['..', '.', ''])('%j is no part of a path', (name) => {
  expect(() => part(name)).toThrow('cannot be asked for');
});

test('nothing is written', async () => {
  const home = await startCluster();
  const { vmid } = home.guest('web');
  const api = await apiOf(home);

  await expect(api.nodes.$('pve1').qemu.$(vmid).status.stop.$post()).rejects.toThrow('is never asked for');
  await expect(api.nodes.$('pve1').qemu.$(vmid).$delete()).rejects.toThrow('is never asked for');
  expect(home.calls()).toEqual({});
});
