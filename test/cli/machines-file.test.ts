import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readMachines } from '../../src/cli/machines-file.ts';
import { temporaryFolder } from '../service.ts';
import { exampleFile } from './run.ts';

function written(...lines: string[]): string {
  const file = join(temporaryFolder(), 'lab.yml');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

const bodies = (path: string) => readMachines(path).items.map((item) => item.body);

describe('the same machine, written in many ways:', () => {
  test.each([
    ['names below machines', ['machines:', '  web-1:', '    address: 10.0.0.1']],
    ['a list below machines', ['machines:', '  - name: web-1', '    address: 10.0.0.1']],
    ['below items', ['items:', '  - {ci_name: web-1, ansible: {host: 10.0.0.1}}']],
    ['a bare list', ['- name: web-1', '  address: 10.0.0.1']],
    ['JSON', ['{"machines": [{"ci_name": "web-1", "ansible": {"host": "10.0.0.1"}}]}']],
  ])('%s', (_, lines) => {
    expect(bodies(written(...lines))).toEqual([{ ci_name: 'web-1', ansible: { host: '10.0.0.1' } }]);
  });
});

test('a name alone says that there is such a machine', () => {
  expect(bodies(written('- web-1'))).toEqual([{ ci_name: 'web-1' }]);
  expect(bodies(written('machines:', '  web-1:'))).toEqual([{ ci_name: 'web-1' }]);
});

test('site and defaults hold for all, and what a machine says itself goes before', () => {
  const file = written(
    'site: site-ranch',
    'defaults: {user: root, groups: [linux]}',
    'machines:',
    '  a: {groups: [web]}',
    '  b: {user: pi, site: site-home}',
  );

  expect(bodies(file)).toEqual([
    { site_id: 'site-ranch', ansible: { user: 'root', groups: ['linux', 'web'] }, ci_name: 'a' },
    { site_id: 'site-home', ansible: { user: 'pi', groups: ['linux'] }, ci_name: 'b' },
  ]);
});

test('the files of a folder are one source, in the order of their names', () => {
  const folder = join(temporaryFolder(), 'lab');
  mkdirSync(folder);
  writeFileSync(join(folder, 'b.yaml'), 'machines: [b]');
  writeFileSync(join(folder, 'a.yml'), 'source: homelab\ndefaults: {user: root}\nmachines: [a]');
  for (const name of ['.hidden.yml', 'notes.txt']) writeFileSync(join(folder, name), 'machines: [never]');

  const machines = readMachines(folder);

  expect(machines).toMatchObject({ source: 'homelab', baseName: 'lab', path: folder });
  expect(machines.items.map((item) => item.body)).toEqual([
    { ansible: { user: 'root' }, ci_name: 'a' },
    { ci_name: 'b' },
  ]);
});

test('the example has five machines, a switch and a NAS', () => {
  const { source, items } = readMachines(exampleFile);

  expect(source).toBe('example');
  expect(items.map(({ body }) => body.ci_name)).toEqual([
    'web-1',
    'web-2',
    'db-1',
    'printer-pi',
    'hypervisor-1',
    'switch-1',
    'nas-1',
  ]);
});

describe('what is wrong is told with its place and what would be right:', () => {
  test.each([
    [
      ['machines:', '  web-1:', '    adress: 10.0.0.1'],
      ':3:5: machines.web-1.adress: is not a known key here; did you mean address?',
    ],
    [['machines:', '  - {adress: x}'], ':2:5: machines[0]: has no name: write "name: …" in it'],
    [['machine: []'], ':1:1: machine: is not a known key here; did you mean machines?'],
    [['all:', '  hosts: {}'], ':1:1: all: is not a known key here; known are source, site, defaults, machines, items'],
    [['site: site-home'], ':1:1: it lists nothing: put what there is under "machines:" or "items:"'],
    [[''], ':1:1: it is empty: list the machines under "machines:"'],
    [['just text'], ':1:1: must be a list of machines, or "machines:" with a list or with names below it'],
    [['machines: 5'], ':1:1: machines must be a list of machines, or "machines:" with a list or with names below it'],
    [['machines: [5]'], ':1:12: machines[0] must be keys with values, such as "address: 10.0.0.5"'],
    [['machines:', '  a: {name: b}'], ':2:7: machines.a.name: says the name a second time: it is a'],
    [['machines:', '  a: {specs: 5}'], ':2:7: machines.a.specs must be keys with values, one a line below it'],
    [
      ['machines:', '  a: {ansible: {hots: x}}'],
      ':2:17: machines.a.ansible.hots: is not a known key here; did you mean host?',
    ],
    [['source: proxmox-api:home', 'machines: []'], ':1:1: source must be a name such as homelab, or import:homelab'],
    [['machines: {a: , a: }'], ':1:17: duplicated mapping key: machines: {a: , a: }'],
    [['defaults: root', 'machines: []'], ':1:1: defaults must be keys with values, one a line below it'],
  ])('%j', (lines, told) => {
    const file = written(...lines);

    expect(() => readMachines(file)).toThrow(`${file} is not right, and nothing was changed:\n  ${file}${told}`);
  });
});

test('one machine in two files is told with both places', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a.yml'), 'machines:\n  - name: web-1\n');
  writeFileSync(join(folder, 'b.yml'), '- web-2\n- web-1\n');

  expect(() => readMachines(folder)).toThrow(`  ${folder}/b.yml:2:3: web-1 stands in ${folder}/a.yml:2:5 already`);
});

test('files of one folder that name several sources are refused', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a.yml'), 'source: one\nmachines: []');
  writeFileSync(join(folder, 'b.yml'), 'source: two\nmachines: []');

  expect(() => readMachines(folder)).toThrow('its files name several sources (one, two), and it is read as one');
});

test('what is not there is a sentence', () => {
  const folder = temporaryFolder();

  expect(() => readMachines(join(folder, 'none.yml'))).toThrow(`There is no file or folder ${folder}/none.yml.`);
  expect(() => readMachines(folder)).toThrow(`The folder ${folder} has no file that ends in .yml or .yaml.`);
});
