/** Inventories that people really use: taken in as an import, and served so that Ansible sees what it saw before. */

import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { emptyFolder, inventoryScript, runAnsible } from '../ansible/run-ansible.ts';
import { startService } from '../service.ts';
import { readRecorded, recorded } from './folder.ts';

interface Listed {
  _meta: { hostvars: Record<string, Record<string, unknown>> };
  [group: string]: { hosts?: string[]; children?: string[] } | Listed['_meta'];
}

const names = readdirSync(recorded('ansible-inventories', 'expected'))
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length));

describe.each(names)('the inventory of %s', (name) => {
  test.each(['oldest', 'newest'] as const)(
    'is what the %s Ansible saw before, apart from what Rollcall adds',
    async (age) => {
      const { call, url, ansibleToken } = await startService();
      const expected = readRecorded('ansible-inventories', 'expected', `${name}.json`) as Listed;
      const groups = groupsOf(expected);
      const items = hostsOf(expected).map((host) => ({
        ci_type: 'machine',
        ci_name: host,
        ansible: {
          groups: [...groups].filter(([, { hosts }]) => hosts.includes(host)).map(([group]) => group),
          vars: expected._meta.hostvars[host] ?? {},
        },
      }));
      const pass = await call('POST', '/passes', { source: `import:${name}`, complete: true, items });
      for (const [group, { children }] of groups) {
        if (children.length > 0) expect((await call('PUT', `/groups/${group}`, { children })).status).toBeLessThan(300);
      }

      const listed = await runAnsible(age, 'ansible-inventory', ['-i', inventoryScript, '--list'], {
        cwd: emptyFolder(),
        env: { ROLLCALL_URL: url, ROLLCALL_TOKEN: ansibleToken },
      });

      expect(pass.body).toMatchObject({ outcome: 'good', refused: 0, created: items.length });
      expect(listed.code).toBe(0);
      const served = JSON.parse(listed.stdout) as Listed;
      for (const { ci_name } of items)
        expect(withoutOurs(served._meta.hostvars[ci_name])).toEqual(expected._meta.hostvars[ci_name] ?? {});
      for (const [group, { hosts, children }] of groups) {
        const found = served[group] as { hosts?: string[]; children?: string[] };
        expect({ group, hosts: (found?.hosts ?? []).toSorted() }).toEqual({ group, hosts: hosts.toSorted() });
        expect(found?.children ?? []).toEqual(expect.arrayContaining(children));
      }
    },
  );
});

function hostsOf(listed: Listed): string[] {
  return [
    ...new Set(
      Object.entries(listed).flatMap(([group, body]) =>
        group === '_meta' ? [] : ((body as { hosts?: string[] }).hosts ?? []),
      ),
    ),
  ];
}

/** The groups that the operator named, with those of their hosts that are in them directly. */
function groupsOf(listed: Listed): Map<string, { hosts: string[]; children: string[] }> {
  const own = Object.entries(listed).filter(([group]) => !['_meta', 'all', 'ungrouped'].includes(group)) as [
    string,
    { hosts?: string[]; children?: string[] },
  ][];
  return new Map(own.map(([group, { hosts = [], children = [] }]) => [group, { hosts, children }]));
}

function withoutOurs(variables: Record<string, unknown> | undefined): Record<string, unknown> {
  const { rollcall: _about, rollcall_inventory_version: _version, ...own } = variables ?? {};
  return own;
}
