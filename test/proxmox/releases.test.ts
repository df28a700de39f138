/** What differs between releases of Proxmox VE, and what is the same of all of them. */

import { describe, expect, test } from 'vitest';
import { type Row, secret, startHome, tokenId } from './cluster.ts';

const releases = [7, 8, 9];
const versions: Readonly<Record<number, string>> = { 7: '7.4-18', 8: '8.4.1', 9: '9.1.4' };
const agentCall = 'GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces';

describe.each(releases)('Proxmox VE %i', (release) => {
  test('is read whole, and again without a change', async () => {
    const world = await startHome({ sim: ['--pve', String(release), '--guests', '60', '--seed', '7', '--nodes', '3'] });

    const first = await world.discover();
    const { length } = await world.get('/changes?limit=1000');
    const second = await world.discover();

    expect([first.error, second]).toMatchObject([
      null,
      { error: null, counts: { created: 0, updated: 0, missing: 0 } },
    ]);
    expect(await world.get('/changes?limit=1000')).toHaveLength(length);
    expect((await world.item('pvesim')).technical_specs).toMatchObject({ version: versions[release] });
    const items = await world.get('/ci?limit=1000');
    const found = items.flatMap(({ ci_name, ci_type, tags, technical_specs }) => {
      const { vmid, node, uuid, macs, template } = technical_specs as Row;
      return vmid === undefined
        ? []
        : [{ vmid, node, ci_name, ci_type, tags, uuid, macs, isTemplate: template === true }];
    });
    const locked = new Set(['migrate', 'clone', 'create']);
    const state = (await fetch(`${world.home.url}/__sim/state?full=1`).then((answer) => answer.json())) as {
      guests: { vmid: number; lock?: string }[];
    };
    const moving = new Set(state.guests.filter(({ lock }) => locked.has(lock ?? '')).map(({ vmid }) => vmid));
    const there = world.home.sim.truth().guests.filter(({ vmid }) => !moving.has(vmid));
    expect(found.sort((a, b) => Number(a.vmid) - Number(b.vmid))).toEqual(
      there
        .map(({ vmid, node, name, type, tags, uuid, macs, template }) => ({
          vmid,
          node,
          ci_name: name,
          ci_type: type === 'lxc' ? 'lxc_container' : 'virtual_machine',
          tags: [...tags].sort(),
          uuid,
          macs: macs.map((mac) => mac.toLowerCase()).sort(),
          isTemplate: template,
        }))
        .sort((a, b) => a.vmid - b.vmid),
    );
  });

  test('tells the addresses of guests as far as it may and can', async () => {
    const { home, discover, item } = await startHome({ sim: ['--pve', String(release)] });
    const web = home.guest('web');
    const db = home.guest('db', { type: 'lxc' });
    const dynamic = home.guest('dynamic', { type: 'lxc', dhcp: true });

    const { outcome } = await discover();

    const addressesOf = async (name: string) => ((await item(name)).technical_specs as Row).addresses;
    expect(outcome).toBe('good');
    expect(await addressesOf('db')).toEqual(db.addresses);
    // Before 9.0 the agent needs a right that PVEAuditor does not have; before 8.1 a container's own are not told.
    expect(await addressesOf('web')).toEqual(release >= 9 ? web.addresses : undefined);
    expect(await addressesOf('dynamic')).toEqual(release >= 8 ? dynamic.addresses : undefined);
    expect(home.calls()[agentCall]).toBe(release >= 9 ? 1 : undefined);
  });

  test('asks agents where the token may', async () => {
    const { home, discover, item } = await startHome({
      sim: ['--pve', String(release), '--token', `${tokenId}=${secret}#full`],
    });
    const web = home.guest('web');

    await discover();

    expect((await item('web')).technical_specs).toMatchObject({ addresses: web.addresses, os_version: '12' });
  });
});

test('a call that a release does not have is asked for no more often than all else', async () => {
  const { home, discover } = await startHome({ sim: ['--pve', '7'] });
  home.guest('db', { type: 'lxc' });
  await discover();
  home.calls();
  const asked: number[] = [];

  for (let minute = 10; minute <= 60; minute += 10) {
    await discover({ light: true, after: { minutes: 10 } });
    asked.push(home.calls()['GET /nodes/{node}/lxc/{vmid}/interfaces'] ?? 0);
  }

  expect(asked).toEqual([0, 0, 0, 0, 0, 1]);
});

test('an upgrade from 8 to 9 brings the addresses that the agent may tell then', async () => {
  const { home, discover, item } = await startHome({ sim: ['--pve', '8'], settings: { proxmox: { refresh: '1h' } } });
  const web = home.guest('web');
  await discover();
  home.do('pve', { to: 9 });

  await discover({ after: { hours: 1 } });
  await discover();

  expect((await item('web')).technical_specs).toMatchObject({ addresses: web.addresses });
});
