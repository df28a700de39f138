/** What hypervisors really answered, posted as a discovery script does it. */

import { expect, test } from 'vitest';
import { emptyFolder, inventoryScript, runAnsible } from '../ansible/run-ansible.ts';
import { startService } from '../service.ts';
import { readRecorded } from './folder.ts';

interface Recording {
  endpoint: string;
  status: number;
  file: string;
}
interface Guest {
  type: string;
  vmid: number;
  node: string;
  name?: string;
  status?: string;
  maxcpu?: number;
  maxmem?: number;
  maxdisk?: number;
  uptime?: number;
  tags?: string;
}

const files = (readRecorded('proxmox', 'index.json') as Recording[])
  .filter(({ endpoint, status }) => endpoint === '/cluster/resources' && status === 200)
  .map(({ file }) => file);

function guestsIn(file: string): Guest[] {
  const answer = readRecorded('proxmox', file) as { data?: Guest[] } | Guest[];
  const rows = Array.isArray(answer) ? answer : (answer.data ?? []);
  return rows.filter((row) => (row.type === 'qemu' || row.type === 'lxc') && typeof row.node === 'string');
}

function itemOf(guest: Guest) {
  return {
    ci_type: guest.type === 'lxc' ? 'lxc_container' : 'virtual_machine',
    ci_name: guest.name ?? `VM ${guest.vmid}`,
    ci_status: guest.status ?? 'unknown',
    managed_by: 'proxmox-api',
    external_id: `${guest.type}/${guest.vmid}`,
    tags: guest.tags?.split(/[;,\s]+/).filter(Boolean) ?? [],
    technical_specs: {
      vmid: Number(guest.vmid),
      node: guest.node,
      cpu_cores: guest.maxcpu ?? null,
      memory_mb: guest.maxmem === undefined ? null : guest.maxmem / 1024 / 1024,
      disk_gb: guest.maxdisk === undefined ? null : guest.maxdisk / 1024 ** 3,
      uptime: guest.uptime ?? null,
    },
  };
}

test.each(files.filter((file) => guestsIn(file).length > 0))(
  '%s is kept whole, and again without a change',
  async (file) => {
    const { call, url, ansibleToken, pass } = await startService();
    const items = guestsIn(file).map(itemOf);

    const first = await call('POST', '/ci/bulk', { items });
    pass({ minutes: 2 });
    const second = await call('POST', '/ci/bulk', {
      items: items.map((item) => ({
        ...item,
        technical_specs: { ...item.technical_specs, uptime: later(item.technical_specs.uptime) },
      })),
    });
    const changes = (await call('GET', '/changes?limit=1000')).body as { count: number };

    const answers = (body: unknown) =>
      (body as { results: { status: number }[] }).results.map((result) => result.status);
    expect(new Set(answers(first.body))).toEqual(new Set([201]));
    expect(new Set(answers(second.body))).toEqual(new Set([200]));
    expect(changes.count).toBe(items.length + 1);
    for (const age of ['oldest', 'newest'] as const) {
      const listed = await runAnsible(age, 'ansible-inventory', ['-i', inventoryScript, '--list'], {
        cwd: emptyFolder(),
        env: { ROLLCALL_URL: url, ROLLCALL_TOKEN: ansibleToken },
      });
      expect(listed.code).toBe(0);
      const running = items.filter((item) => item.ci_status === 'running').length;
      expect(
        Object.keys((JSON.parse(listed.stdout) as { _meta: { hostvars: object } })._meta.hostvars).length,
      ).toBeGreaterThanOrEqual(running);
    }
  },
);

function later(uptime: number | null): number | null {
  return uptime ? uptime + 120 : uptime;
}
