import { expect, test } from 'vitest';
import { openLog } from '../../src/log.ts';
import { startService } from '../service.ts';

const item = {
  ci_name: 'web',
  ci_type: 'virtual_machine',
  ci_status: 'running',
  technical_specs: { vmid: 1, node: 'a' },
};

test('an alert that begins and ends is a line in the log each, and in the API', async () => {
  const lines: { msg: string; alert?: string; subject?: string }[] = [];
  const log = openLog('info', 'json', (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]));
  const service = await startService({ log });
  const told = () =>
    lines
      .splice(0)
      .filter(({ alert }) => alert !== undefined)
      .map(({ msg, alert, subject }) => `${msg}: ${alert} ${subject}`);
  const reading = { source: 'proxmox-api:home', complete: true, items: [item] };
  const look = async () => {
    await service.app.runJob('sweep');
    await service.app.runJob('log-alerts');
    await service.app.runJob('log-alerts');
    return told();
  };
  await service.call('POST', '/passes', reading);

  const before = await look();
  service.pass({ hours: 25 });
  const silent = await look();
  const { body } = await service.call('GET', '/alerts');
  await service.call('POST', '/passes', reading);
  const again = await look();

  expect([before, silent, again]).toEqual([
    [],
    ['an alert stands: stale_source proxmox-api:home'],
    ['an alert is over: stale_source proxmox-api:home'],
  ]);
  expect(body).toMatchObject({
    items: [
      {
        kind: 'stale_source',
        subject: 'proxmox-api:home',
        until: null,
        what_to_do: expect.stringContaining('"rollcall sources withdraw proxmox-api:home"'),
      },
    ],
  });
});

test('a source that is withdrawn is not missed, nor are facts that nobody took', async () => {
  const service = await startService();
  await service.call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items: [item] });
  await service.call('DELETE', '/sources/proxmox-api:home');
  await service.call('POST', '/ci', { ci_name: 'nas', managed_by: 'ansible', technical_specs: { os: 'Debian' } });

  service.pass({ hours: 30 * 24 });
  await service.app.runJob('sweep');

  expect((await service.call('GET', '/alerts')).body).toMatchObject({ count: 0 });
});
