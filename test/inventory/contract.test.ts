/** What Ansible is told, on estates that nobody thought of: whatever comes in, the inventory keeps its contract. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isHostName, isOperatorGroupName, isOperatorHostName } from '../../src/inventory/names.ts';
import { ansibleAges, emptyFolder, inventoryScript, runAnsible } from '../ansible/run-ansible.ts';
import { type Service, startService } from '../service.ts';

const isLong = process.env.ROLLCALL_LONG !== undefined;
const estates = isLong ? 300 : 25;
const estatesForAnsible = isLong ? 20 : 3;
const seed = 20_260_302;

/** Texts as they stand in JSON: half surrogates, NUL, templates and marks of Ansible's own are among them. */
const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('web', 'db', 'a', 'prod', 'pve1', 'web-1', 'Web', 'all', 'localhost') },
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom(
    '\ud800',
    'x\udc00y',
    '\u0000',
    '\u0085',
    '\u2028',
    "{{ lookup('pipe','id') }}",
    '{% raw %}',
    '{# #}',
    '__ansible_unsafe',
    '__ansible_vault',
    '__ansible_type',
    '__proto__',
    'constructor',
    '../x',
    '-rf',
    '!n',
    'a:b',
    'tag_web',
    'no_address',
    'rollcall',
    '_meta',
    'ungrouped',
    'hosts',
    'children',
    'ansible_group_priority',
    '10.0.0.1',
    '10.0.0.2/24',
    '::1',
    'x'.repeat(300),
  ),
);
const name = text.filter((value) => value.length > 0);
const json = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' });
const value: fc.Arbitrary<unknown> = fc.oneof(text, json, fc.array(text, { maxLength: 4 }), fc.dictionary(text, text));
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const types = ['virtual_machine', 'lxc_container', 'physical_server', 'network_device', 'machine', 'service'];
const plainGroup = fc.constantFrom('webservers', 'db', 'grüppe', 'fleet');
const anyGroup = fc.oneof({ weight: 3, arbitrary: plainGroup }, text);

const itemOf = (group: fc.Arbitrary<string>, chosen: fc.Arbitrary<string>, managers: readonly string[]) =>
  fc.record(
    {
      ci_name: name,
      ci_type: fc.constantFrom(...types),
      ci_status: fc.constantFrom('active', 'running', 'stopped', 'maintenance', 'paused', 'retired', 'planned'),
      site_id: fc.constantFrom('site-home', 'site-a', 'site_a', 'b'),
      environment: text,
      role: text,
      criticality: text,
      owner: text,
      notes: text,
      tags: fc.array(text, { maxLength: 4 }),
      managed_by: fc.oneof(fc.constantFrom(...managers), text),
      external_id: text,
      technical_specs: fc
        .tuple(
          fc.record(
            {
              vmid: fc.integer({ min: 1, max: 999 }),
              node: text,
              os: text,
              os_version: text,
              fqdn: text,
              addresses: fc.array(text, { maxLength: 3 }),
              primary_address: text,
              pool: value,
              motto: value,
              template: fc.constantFrom(true, false, 0, 1),
            },
            { requiredKeys: [] },
          ),
          fc.dictionary(text, value, { maxKeys: 3 }),
        )
        .map(([known, further]) => ({ ...further, ...known })),
      ansible: fc.record(
        {
          name: maybe(chosen),
          enabled: fc.boolean(),
          host: fc.constantFrom('10.0.0.1', '10.0.0.9', 'web.example.org', 'fe80::1%eth0', '-oProxyCommand', 'a b'),
          user: text,
          port: fc.integer({ min: 1, max: 65_535 }),
          groups: fc.array(group, { maxLength: 3 }),
          vars: fc.dictionary(fc.constantFrom('note', 'rollcall', '__ansible_x', 'ansible_host', 'x'), value),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ['ci_name'] },
  );

const groupWordsOf = (group: fc.Arbitrary<string>) =>
  fc.tuple(
    group,
    fc.record(
      {
        vars: fc.dictionary(fc.constantFrom('note', 'ansible_group_priority', '__ansible_vault', 'x'), value),
        children: fc.array(group, { maxLength: 3 }),
        match: fc.constantFrom({ ci_name: 'w*' }, { tag: ['prod', 'web'] }, { ci_type: '*', site_id: 'site-?' }),
      },
      { requiredKeys: [] },
    ),
  );

const measuring = ['proxmox-api', 'terraform', 'ansible'];

/** Everybody may say everything. */
const estate = fc.record({
  items: fc.array(itemOf(anyGroup, name, [...measuring, 'import']), { maxLength: 25 }),
  groups: fc.array(groupWordsOf(anyGroup), { maxLength: 6 }),
});

/** Operators choose names that Ansible has nothing to say of; all else is as wild. */
const estateOfCalmOperators = fc.record({
  items: fc.array(itemOf(plainGroup, fc.constantFrom('chosen-1', 'chosen-2'), measuring), { maxLength: 25 }),
  groups: fc.array(groupWordsOf(plainGroup), { maxLength: 6 }),
});

interface Told {
  _meta: { hostvars: Record<string, Record<string, unknown>> };
  [group: string]: unknown;
}
interface ToldGroup {
  hosts: string[];
  vars?: Record<string, unknown>;
  children?: string[];
}

async function fill(service: Service, { items, groups }: { items: object[]; groups: [string, object][] }) {
  for (const [groupName, words] of groups) {
    if (!groupName.isWellFormed() || groupName === '' || groupName.includes('/') || /^\.+$/.test(groupName)) continue;
    const { status } = await service.call('PUT', `/groups/${encodeURIComponent(groupName)}`, words);
    expect([200, 201, 400]).toContain(status);
  }
  const { status, body } = await service.call('POST', '/ci/bulk', { items });
  expect(status).toBe(200);
  const { results } = body as { results: { status: number }[] };
  expect(results).toHaveLength(items.length);
  expect(results.filter((result) => ![200, 201, 400, 409].includes(result.status))).toEqual([]);
}

async function emptyEstate(service: Service): Promise<void> {
  for (;;) {
    const { items } = (await service.call('GET', '/ci?limit=1000')).body as { items: { ci_id: string }[] };
    if (items.length === 0) break;
    for (const { ci_id } of items) await service.call('DELETE', `/ci/${ci_id}`);
  }
  const { items } = (await service.call('GET', '/groups')).body as { items: { group_name: string }[] };
  for (const { group_name } of items) await service.call('PUT', `/groups/${encodeURIComponent(group_name)}`, {});
}

async function told(service: Service): Promise<{ raw: string; inventory: Told }> {
  const response = await fetch(`${service.url}/api/v1/inventory?include=held,stopped`, {
    headers: { Authorization: `Bearer ${service.ansibleToken}` },
  });
  expect(response.status).toBe(200);
  const bytes = Buffer.from(await response.arrayBuffer());
  const raw = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  return { raw, inventory: JSON.parse(raw) as Told };
}

/** Every breach of the contract, in words; none where it holds. */
function breachesOf({ raw, inventory }: { raw: string; inventory: Told }): string[] {
  const breaches: string[] = [];
  const claim = (holds: boolean, what: string) => {
    if (!holds) breaches.push(what);
  };
  const { _meta, ...rest } = inventory;
  const groups = rest as Record<string, ToldGroup>;
  claim(raw.startsWith('{'), 'it begins with something else');
  claim(!/\bNaN\b|\bInfinity\b/.test(raw.replaceAll(/"(?:[^"\\]|\\.)*"/g, '')), 'a number that is none');
  claim(typeof _meta.hostvars === 'object' && !Array.isArray(_meta.hostvars), 'hostvars is no object');
  claim(Object.keys(_meta).join() === 'hostvars', `_meta has ${Object.keys(_meta).join()}`);
  claim(rawKeysAreUnique(raw), 'a key stands twice');

  const members = new Set<string>();
  for (const [groupName, told] of Object.entries(groups)) {
    claim(isOperatorGroupName(groupName), `group ${JSON.stringify(groupName)}`);
    claim(Array.isArray(told.hosts), `${groupName} has no list of hosts`);
    for (const host of told.hosts) {
      members.add(host);
      claim(Object.hasOwn(_meta.hostvars, host), `${groupName} has ${JSON.stringify(host)}, which is no host`);
    }
    for (const child of told.children ?? []) {
      claim(child !== 'all' && child !== groupName && isOperatorGroupName(child), `${groupName} has child ${child}`);
      claim(Object.hasOwn(groups, child), `${groupName} has child ${child}, which is no group`);
    }
    const priority = told.vars?.ansible_group_priority;
    claim(priority === undefined || Number.isInteger(priority), `${groupName} has a priority that is no number`);
    marks(told.vars ?? {}, `${groupName}.vars`, claim);
  }
  claim(!hasCircle(groups), 'the groups close a circle');

  for (const [host, vars] of Object.entries(_meta.hostvars)) {
    claim(members.has(host), `${JSON.stringify(host)} is in no group`);
    claim(isHostName(host) || isOperatorHostName(host), `host ${JSON.stringify(host)}`);
    claim(!Object.hasOwn(groups, host) || isOperatorHostName(host), `${host} is a host and a group`);
    marks(vars, host, claim);
    observedIsMarked(vars.rollcall, `${host}.rollcall`, claim);
    if (vars.ansible_host !== undefined && typeof vars.ansible_host === 'object')
      claim(
        /^[A-Za-z0-9:][A-Za-z0-9._:%-]*$/.test((vars.ansible_host as { __ansible_unsafe: string }).__ansible_unsafe),
        `${host} has the address ${JSON.stringify(vars.ansible_host)}`,
      );
  }
  return breaches;
}

type Claim = (holds: boolean, what: string) => void;

/** Well-formed text everywhere, and no key of Ansible's own but a mark that stands alone around a text. */
function marks(value: unknown, where: string, claim: Claim): void {
  if (typeof value === 'string') claim(value.isWellFormed(), `${where} is not well formed`);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    claim(key.isWellFormed(), `${where} has a key that is not well formed`);
    if (key.startsWith('__ansible')) {
      claim(key === '__ansible_unsafe' || key === '__ansible_vault', `${where} has ${key}`);
      claim(typeof inner === 'string' && Object.keys(value).length === 1, `${where} has a mark around no text`);
    }
    marks(inner, `${where}.${key}`, claim);
  }
}

function observedIsMarked(value: unknown, where: string, claim: Claim): void {
  claim(typeof value !== 'string', `${where} is a text without a mark`);
  if (typeof value !== 'object' || value === null || '__ansible_unsafe' in value) return;
  for (const [key, inner] of Object.entries(value)) observedIsMarked(inner, `${where}.${key}`, claim);
}

function hasCircle(groups: Readonly<Record<string, ToldGroup>>): boolean {
  const left = new Map(Object.entries(groups).map(([name, { children }]) => [name, children ?? []]));
  for (let found = true; found; ) {
    found = false;
    for (const [name, children] of left)
      if (children.every((child) => !left.has(child))) found = left.delete(name) || found;
  }
  return left.size > 0;
}

/** The top level, where a key that stands twice would take a group away. */
function rawKeysAreUnique(raw: string): boolean {
  const again = JSON.stringify(JSON.parse(raw));
  return again.length === raw.length;
}

test('on any estate the inventory keeps the contract with Ansible, and loses no host', async () => {
  const service = await startService({
    settings: { inventory: { hostvars: ['motto', 'pool', 'notes', 'owner', 'fqdn'] } },
  });

  await fc.assert(
    fc.asyncProperty(estate, async (made) => {
      await emptyEstate(service);
      await fill(service, made);

      const answer = await told(service);

      expect(breachesOf(answer)).toEqual([]);
      expect(Object.keys(answer.inventory._meta.hostvars).toSorted()).toEqual((await servedNames(service)).toSorted());
    }),
    { seed, numRuns: estates, endOnFailure: !isLong },
  );
});

/** The names of all items that `why` says are served. */
async function servedNames(service: Service): Promise<string[]> {
  const { items } = (await service.call('GET', '/ci?limit=1000')).body as {
    items: { ci_id: string; ansible: { name: string | null } }[];
  };
  const names: string[] = [];
  for (const { ci_id, ansible } of items) {
    const { body } = await service.call('GET', `/inventory/why/${ci_id}`);
    const { served, reason } = body as { served: boolean; reason: string };
    if (served || /include=/.test(reason)) names.push(ansible.name as string);
  }
  return names;
}

describe.each(ansibleAges)('under the %s Ansible', (age) => {
  test(`${estatesForAnsible} estates that nobody thought of are read whole, without a word on their names`, async () => {
    const service = await startService({ settings: { inventory: { hostvars: ['motto', 'pool', 'notes'] } } });
    const folder = emptyFolder();
    const env = { ROLLCALL_URL: service.url, ROLLCALL_TOKEN: service.ansibleToken, ROLLCALL_INCLUDE: 'held,stopped' };

    for (const made of fc.sample(estateOfCalmOperators, { seed, numRuns: estatesForAnsible })) {
      await emptyEstate(service);
      await fill(service, made);
      const { inventory } = await told(service);

      const listed = await runAnsible(age, 'ansible-inventory', ['-i', inventoryScript, '--list'], {
        cwd: folder,
        env,
      });

      expect(listed.code).toBe(0);
      expect(listed.stderr).toBe('');
      const hosts = Object.keys(JSON.parse(listed.stdout)._meta.hostvars);
      expect(hosts.toSorted()).toEqual(Object.keys(inventory._meta.hostvars).toSorted());
    }
  });
});
