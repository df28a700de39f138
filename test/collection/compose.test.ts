/** The module that records compose projects, and its example: in whatever form docker tells of them. */

import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ansibleAges, emptyFolder, inventoryScript } from '../ansible/run-ansible.ts';
import { type Service, startService } from '../service.ts';
import { readTools } from '../tools/tools.ts';
import { checkout, controllerOf } from './controller.ts';
import { runModules, type Step } from './run-modules.ts';

type Row = Record<string, unknown>;
/** What is read as text. */
type Texts = Record<string, string>;

/** Made after what Docker 27 and Compose 2.29 print; labels and commands hold more there. */
const label = (project: string, service: string, oneoff = 'False') =>
  `com.docker.compose.depends_on=db:service_healthy:false,com.docker.compose.oneoff=${oneoff},com.docker.compose.project=${project},com.docker.compose.service=${service}`;
const ps = (project: string, service: string, number: number, more: Row = {}) => ({
  Command: '"docker-entrypoint.s…"',
  Image: `${service}:1`,
  Labels: label(project, service),
  Names: `${project}-${service}-${number}`,
  Ports: '',
  State: 'running',
  Status: 'Up 2 hours',
  ...more,
});
const shop = [
  ps('shop', 'web', 1, { Ports: '0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp' }),
  ps('shop', 'web', 2),
  ps('shop', 'db', 1, { State: 'exited', Status: 'Exited (0) 3 hours ago' }),
];
const lines = (rows: readonly Row[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const ls = [
  { Name: 'shop', Status: 'running(2), exited(1)', ConfigFiles: '/srv/shop/compose.yml,/srv/shop/local.yml' },
];

async function told({ call }: Pick<Service, 'call'>): Promise<string[]> {
  const { items } = (await call('GET', '/ci')).body as { items: (Texts & { technical_specs: unknown })[] };
  const children = items.filter(({ ci_type }) => ci_type === 'container' || ci_type === 'application');
  return children
    .map(
      ({ ci_name, ci_type, ci_status, technical_specs }) =>
        `${(technical_specs as Texts).parent}/${ci_name} ${ci_type} ${ci_status}`,
    )
    .sort();
}

describe.each(ansibleAges)('under the %s Ansible', (age) => {
  async function world(...hosts: string[]) {
    const service = await startService();
    for (const ci_name of hosts)
      await service.call('POST', '/ci', {
        ci_name,
        ci_type: 'virtual_machine',
        ansible: { host: '127.0.0.1', connection: 'local', groups: ['docker'] },
      });
    return { ...service, run: async (...steps: Step[]) => await runModules(age, service, steps) };
  }

  test('the example records what docker tells on a host, and what has vanished is no longer said', async () => {
    const service = await world('docker-1');
    const bin = emptyFolder();
    const path = `${bin}:${readTools().ansible[age].bin}:/usr/bin:/bin`;
    const { folder, run } = controllerOf(service, age, { token: service.adminToken, env: { PATH: path } });
    // Both answers as files, which a play between two others exchanges.
    const docker = `#!/bin/sh\ncase "$1 $2" in "compose ls") cat ${folder}/ls;; "ps --all") cat ${folder}/ps;; *) exit 64;; esac\n`;
    writeFileSync(join(bin, 'docker'), docker, { mode: 0o755 });
    writeFileSync(join(folder, 'ls'), JSON.stringify(ls));
    const asked = ({ Names, Image, State, Ports }: Row, Service: string) => ({
      Names,
      Image,
      State,
      Ports,
      Project: 'shop',
      Service,
      Oneoff: 'False',
    });
    const [web, twin, db] = shop as Row[] as [Row, Row, Row];
    writeFileSync(join(folder, 'ps'), lines([asked(web, 'web'), asked(twin, 'web'), asked(db, 'db')]));
    writeFileSync(join(folder, 'later'), lines([asked(web, 'web'), asked(db, 'db')]));
    copyFileSync(join(checkout, 'examples/compose.yml'), join(folder, 'compose.yml'));
    const exchange = { hosts: 'localhost', gather_facts: false, tasks: [{ 'ansible.builtin.command': 'mv later ps' }] };
    const example = { import_playbook: 'compose.yml' };
    writeFileSync(join(folder, 'site.yml'), JSON.stringify([example, exchange, example]));

    const { code, stdout, stderr } = await run('ansible-playbook', '-i', inventoryScript, 'site.yml');

    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/docker-1 +: ok=6 +changed=2 /);
    expect(await told(service)).toEqual([
      'docker-1/shop application running',
      'docker-1/shop-db-1 container stopped',
      'docker-1/shop-web-1 container running',
      'docker-1/shop-web-2 container missing',
    ]);
  });

  test('it says what runs where and on what, and check mode says nothing', async () => {
    const { call, run } = await world('docker-1');
    const options = { ci: 'docker-1', projects: JSON.stringify(ls), containers: lines(shop) };

    const [checked] = await run(['compose', options, 'check']);
    const before = await told({ call });
    const [recorded, again] = await run(['compose', options], ['compose', options]);

    expect(before).toEqual([]);
    const names = { projects: ['shop'], containers: ['shop-db-1', 'shop-web-1', 'shop-web-2'] };
    expect(checked).toMatchObject({
      changed: true,
      held: false,
      ...names,
      diff: { after: { shop: { ci_type: 'application' } } },
    });
    expect([recorded, again]).toMatchObject([
      { changed: true, ...names },
      { changed: false, ...names },
    ]);
    const specs = async (name: string) => ((await call('GET', `/ci/${name}`)).body as Row).technical_specs;
    expect(await specs('shop')).toEqual({
      parent: 'docker-1',
      config_files: ['/srv/shop/compose.yml', '/srv/shop/local.yml'],
    });
    expect(await specs('shop-web-1')).toEqual({
      parent: 'docker-1',
      project: 'shop',
      compose_service: 'web',
      image: 'web:1',
      ports: ['0.0.0.0:8080->80/tcp', '[::]:8080->80/tcp'],
    });
    const { items } = (await call('GET', '/ci/shop/relationships')).body as { items: Texts[] };
    expect(items.map((row) => `${row.relationship_type} ${row.ci_name} ${row.relationship_strength}`)).toEqual([
      'depends_on shop-db-1 strong',
      'depends_on shop-web-1 weak',
      'depends_on shop-web-2 weak',
      'runs_on docker-1 critical',
    ]);
  });

  test('it takes what compose and community.docker tell too, and leaves aside what is of no project', async () => {
    const { call, run } = await world('docker-1', 'docker-2');
    const compose = {
      Name: 'shop-web-1',
      Project: 'shop',
      Service: 'web',
      Image: 'web:1',
      State: 'running',
      Publishers: [
        { URL: '::', TargetPort: 80, PublishedPort: 8080, Protocol: 'tcp' },
        { TargetPort: 9000, PublishedPort: 0 },
      ],
    };
    const info = {
      Names: ['/shop-web-1', '/proxy/web'],
      Labels: { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web' },
      Image: 'web:1',
      State: 'paused',
      Ports: [
        { IP: '127.0.0.1', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
        { PrivatePort: 443, Type: 'tcp' },
      ],
    };
    const once = ps('shop', 'task', 1, { Labels: label('shop', 'task', 'True') });
    const other = ps('none', 'x', 1, { Labels: 'maintainer=me' });

    const results = await run(
      ['compose', { ci: 'docker-1', containers: [JSON.stringify([compose]), '', lines([once, other])] }],
      ['compose', { ci: 'docker-2', containers: [info] }],
    );

    expect(results).toMatchObject([{ containers: ['shop-web-1'] }, { containers: ['shop-web-1'] }]);
    expect(await told({ call })).toEqual([
      'docker-1/shop application running',
      'docker-1/shop-web-1 container running',
      'docker-2/shop application stopped',
      'docker-2/shop-web-1 container paused',
    ]);
    // The same names on two hosts: each project depends on its own.
    const impact = (await call('GET', '/ci/docker-2/impact')).body as {
      directly_affected: Texts[];
    };
    expect(impact.directly_affected.map(({ ci_name, ci_status }) => `${ci_name} ${ci_status}`)).toEqual([
      'shop stopped',
      'shop-web-1 paused',
    ]);
    const [project] = impact.directly_affected;
    const { items } = (await call('GET', `/ci/${project?.ci_id}/relationships?relationship_types=depends_on`)).body as {
      items: Texts[];
    };
    expect(items.map(({ ci_id }) => ci_id)).toEqual([impact.directly_affected[1]?.ci_id]);
  });

  test('all gone at once is held, with a warning; what is no listing is refused without being shown', async () => {
    const { call, run } = await world('docker-1');
    const secret = '{"Command": "run --password hunter2" oops';

    const [, empty, wrong, nameless, ghost] = await run(
      ['compose', { ci: 'docker-1', containers: lines(shop) }],
      ['compose', { ci: 'docker-1', containers: '' }],
      ['compose', { ci: 'docker-1', containers: secret }],
      ['compose', { ci: 'docker-1', containers: [{ Labels: ['x'], Ports: ['80/tcp'] }], projects: [{ Status: 'x' }] }],
      ['compose', { ci: 'ghost', containers: '[]' }],
    );

    expect(empty).toMatchObject({ changed: false, held: true });
    expect(JSON.stringify(empty?.warnings)).toMatch(
      /Nothing of docker-1 is taken away: it is empty.*rollcall passes accept/,
    );
    expect(await told({ call })).toContain('docker-1/shop-web-1 container running');
    expect(wrong).toMatchObject({ failed: true, msg: 'containers is not what docker prints with --format json' });
    expect(JSON.stringify(wrong?.msg)).not.toContain('hunter2');
    expect(nameless?.msg).toBe('projects is not what docker compose ls prints with --format json');
    expect(ghost).toMatchObject({ failed: true, msg: 'No configuration item is named ghost.' });
  });
});
