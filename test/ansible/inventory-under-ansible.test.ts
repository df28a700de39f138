/** The real Ansible commands with `ansible/inventory.py`, and without any configuration of Ansible. */

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ansibleAges, inventoryScript, runAnsible, unwrapped } from './run-ansible.ts';
import { json, serving, startStandIn } from './stand-in.ts';
import { inventoryOf, makeOlder, nowhere, one, theCopy, troubles, type World, world, worldWithCopy } from './world.ts';

const playbook = `
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: ran on {{ inventory_hostname }}, a host of {{ rollcall.site | default('none') }}
`;

describe.each(ansibleAges)('under the %s Ansible', (age) => {
  const cases: readonly { given: string; start: () => Promise<World>; runs: boolean; says: string }[] = [
    {
      given: 'a service that is well',
      start: async () => world(await startStandIn(serving(one))),
      runs: true,
      says: '',
    },
    {
      given: 'an unwritable cache',
      start: async () => world(await startStandIn(serving(one)), { ROLLCALL_CACHE_DIR: '/dev/null/copies' }),
      runs: true,
      says: '',
    },
    {
      given: 'a service that is down, and a copy',
      start: () => worldWithCopy(),
      runs: true,
      says: 'using the copy of its last answer',
    },
    {
      given: 'a service that is down, and no copy',
      start: async () => world(await nowhere()),
      runs: false,
      says: 'no copy',
    },
    {
      given: 'a service that is down, and a copy too old',
      start: async () => {
        const world = await worldWithCopy();
        makeOlder(theCopy(world), 2 * 86400);
        return world;
      },
      runs: false,
      says: 'more than ROLLCALL_MAX_STALE allows',
    },
    {
      given: 'a wrong token',
      start: async () => world(await startStandIn(json(401, '{}'))),
      runs: false,
      says: 'does not accept the token',
    },
    ...['says nothing', 'answer of known length', 'answers HTML', '500'].map((words) => ({
      given: `a service that ${troubles.find(({ trouble }) => trouble.includes(words))?.trouble}`,
      start: async () => {
        const service = await troubles.find(({ trouble }) => trouble.includes(words))?.start();
        return world(service ?? { url: '' }, { ROLLCALL_TIMEOUT: '0.4' });
      },
      runs: false,
      says: 'no copy',
    })),
  ];

  test.each(cases)('$given: the play runs on the truth, or ends with exit 1 and one sentence', async (given) => {
    const { folder, env } = await given.start();
    writeFileSync(join(folder, 'site.yml'), playbook);
    writeFileSync(join(folder, 'before.ini'), 'other-1\n');
    writeFileSync(join(folder, 'after.ini'), 'other-2\n');
    const play = (...words: string[]) =>
      runAnsible(age, 'ansible-playbook', [...words, 'site.yml'], { cwd: folder, env });

    const [alone, beside] = await Promise.all([
      play('-i', inventoryScript),
      play('-i', 'before.ini', '-i', inventoryScript, '-i', 'after.ini'),
    ]);

    for (const { code, stdout, stderr } of [alone, beside]) {
      expect(unwrapped(stderr).split(given.says || '\0')).toHaveLength(given.says ? 2 : 1);
      expect(stderr).not.toMatch(/Traceback|secret-token/);
      expect({ code, ran: stdout.includes('ran on web-1, a host of site-home') }).toEqual({
        code: given.runs ? 0 : 1,
        ran: given.runs,
      });
    }
    for (const other of ['ran on other-1', 'ran on other-2']) expect(beside.stdout.includes(other)).toBe(given.runs);
  });

  test.each(['ansible', 'ansible-inventory'] as const)(
    '%s ends with exit 1 too where there is nothing true',
    async (name) => {
      const { folder, env } = world(await nowhere());
      writeFileSync(join(folder, 'good.ini'), 'other-1\n');
      const words = name === 'ansible' ? ['all', '--list-hosts'] : ['--list'];

      const good = ['-i', 'good.ini'];
      const rollcall = ['-i', inventoryScript];
      const outcomes = await Promise.all(
        [rollcall, [...rollcall, ...good], [...good, ...rollcall]].map((sources) =>
          runAnsible(age, name, [...sources, ...words], { cwd: folder, env }),
        ),
      );

      for (const { code, stdout, stderr } of outcomes) {
        expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
        expect(unwrapped(stderr)).toContain('there is no copy');
      }
    },
  );

  test('the examples run, with the ansible.cfg beside them and without', async () => {
    const local = { ansible_connection: 'local', ansible_python_interpreter: '{{ ansible_playbook_python }}' };
    const inventory = serving(inventoryOf('web-1', local));
    const service = await startStandIn((request, response) =>
      (request.method === 'GET' ? inventory : json(200, '{}'))(request, response),
    );
    const { folder, env } = world(service);
    const beside = dirname(inventoryScript);

    const [ping, show, listed] = await Promise.all([
      runAnsible(age, 'ansible-playbook', ['-i', inventoryScript, `${beside}/examples/ping.yml`], { cwd: folder, env }),
      runAnsible(age, 'ansible-playbook', ['examples/show.yml'], { cwd: beside, env: { ...env, HOME: folder } }),
      runAnsible(age, 'ansible-inventory', ['--graph'], { cwd: beside, env: { ...env, HOME: folder } }),
    ]);

    expect(ping).toMatchObject({ code: 0, stderr: '' });
    expect(ping.stdout).toContain('ok: [web-1]');
    expect(show).toMatchObject({ code: 0, stderr: '' });
    expect(show.stdout).toContain('site-home');
    expect(show.stdout).toContain('7-0123456789ab');
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout).toContain('--web-1');
    // The ansible.cfg has them report their results too: the run, its two plays, and its end.
    expect(service.asked.filter(({ method }) => method === 'PUT')).toHaveLength(4);
  });
});
