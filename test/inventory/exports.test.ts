import { describe, expect, test } from 'vitest';
import {
  exportedHosts,
  type HostFacts,
  hostsFile,
  type InventoryJson,
  knownHosts,
  prometheusTargets,
  sshConfig,
} from '../../src/inventory/exports.ts';

const unsafe = (text: string) => ({ __ansible_unsafe: text });

function hostsOf(hostvars: Record<string, Record<string, unknown>>, groups: Omit<InventoryJson, '_meta'> = {}) {
  return exportedHosts({ _meta: { hostvars }, all: { hosts: [] }, ...groups } as InventoryJson).hosts;
}
const web = {
  ansible_host: unsafe('10.0.0.5'),
  ansible_user: 'deploy',
  ansible_port: 2222,
  rollcall: { id: unsafe('w') },
};

test('ssh is told address, user and port of each host that is reached by it', () => {
  const hosts = hostsOf({
    web,
    db: { rollcall: {} },
    here: { ansible_connection: 'local' },
    win: { ansible_connection: 'winrm', ansible_host: '10.0.0.6' },
  });

  expect(sshConfig(hosts)).toBe('Host db\n\nHost web\n  HostName 10.0.0.5\n  User deploy\n  Port 2222');
});

test.each([
  ['a template', '{{ lookup("env", "USER") }}'],
  ['a vault value', { __ansible_vault: '$ANSIBLE_VAULT;1.1;AES256\n6133' }],
  ['more than a name', 'root\n  ProxyCommand touch /tmp/x'],
])('a user that is %s is left out', (_, ansible_user) => {
  expect(sshConfig(hostsOf({ web: { ...web, ansible_user } }))).toBe('Host web\n  HostName 10.0.0.5\n  Port 2222');
});

test.each(['web\nHost *', 'web *', '*', '-oProxyCommand=x', 'web;x', '{{ x }}'])(
  'a host that is called %j is left out and counted',
  (name) => {
    const { hosts, unnameable } = exportedHosts({ _meta: { hostvars: { [name]: web } } } as InventoryJson);

    expect([hosts, unnameable]).toEqual([[], 1]);
  },
);

test('an address that could be more than one is left out', () => {
  const hosts = hostsOf({ web: { ...web, ansible_host: unsafe('10.0.0.5\nUser root') } });

  expect([sshConfig(hosts), hostsFile(hosts, new Map())]).toEqual(['Host web\n  User deploy\n  Port 2222', '']);
});

test('variables of groups count as they do for Ansible: nearer groups, then priority, then names, then the host', () => {
  const hosts = hostsOf(
    { web: {}, db: { ansible_user: 'own' } },
    {
      all: { hosts: [], vars: { ansible_user: 'all', ansible_port: 22 } },
      lab: { hosts: [], children: ['b', 'a'], vars: { ansible_user: 'lab', ansible_port: 23 } },
      a: { hosts: ['web'], vars: { ansible_user: 'a', ansible_group_priority: 10 } },
      b: { hosts: ['web', 'db'], vars: { ansible_user: 'b' } },
    },
  );

  expect(hosts.map(({ name, user, port, groups }) => [name, user, port, groups])).toEqual([
    ['db', 'own', 23, ['b', 'lab']],
    ['web', 'a', 23, ['a', 'b', 'lab']],
  ]);
});

describe('host keys', () => {
  const keyed = (ssh_host_keys: unknown): Map<string, HostFacts> => new Map([['w', { fqdn: null, ssh_host_keys }]]);

  test('stand under name and address, with the port where it is another one', () => {
    const facts = keyed({ ed25519: 'ssh-ed25519 AAAAC3Nz', rsa: 'ssh-rsa AAAAB3Nz==' });

    expect(knownHosts(hostsOf({ web }), facts)).toBe(
      '[web]:2222,[10.0.0.5]:2222 ssh-ed25519 AAAAC3Nz\n[web]:2222,[10.0.0.5]:2222 ssh-rsa AAAAB3Nz==',
    );
    expect(knownHosts(hostsOf({ web: { ...web, ansible_port: 22 } }), keyed({ e: 'ssh-ed25519 AAAA' }))).toBe(
      'web,10.0.0.5 ssh-ed25519 AAAA',
    );
  });

  test.each([['ssh-ed25519 AAAA\n* ssh-rsa BBBB'], ['@cert-authority * ssh-rsa AAAA'], [7], ['AAAA']])(
    'that are none are left out: %j',
    (key) => {
      expect(knownHosts(hostsOf({ web }), keyed({ x: key }))).toBe('');
    },
  );
});

test('a file of hosts has those with an IP address, the full name first', () => {
  const facts = new Map([['w', { fqdn: 'web.home.lab', ssh_host_keys: null }]]);
  const hosts = hostsOf({ web, db: { ansible_host: 'db.home.lab' }, nas: { ansible_host: 'fd00::5' } });

  expect(hostsFile(hosts, facts)).toBe('fd00::5\tnas\n10.0.0.5\tweb.home.lab\tweb');
});

test('Prometheus is told targets, and labels of what is plain', () => {
  const about = { id: unsafe('w'), tags: [unsafe('a'), unsafe('b')], vmid: 100, role: null, deep: { x: 1 } };
  const hosts = hostsOf(
    { web: { ...web, rollcall: about }, nas: { ansible_host: 'fd00::5', rollcall: {} }, db: {} },
    { monitored: { hosts: ['web'] } },
  );

  expect(prometheusTargets(hosts, 9100)).toEqual([
    { targets: ['db:9100'], labels: { __meta_rollcall_name: 'db', __meta_rollcall_groups: '' } },
    { targets: ['[fd00::5]:9100'], labels: { __meta_rollcall_name: 'nas', __meta_rollcall_groups: '' } },
    {
      targets: ['10.0.0.5:9100'],
      labels: {
        __meta_rollcall_name: 'web',
        __meta_rollcall_groups: ',monitored,',
        __meta_rollcall_id: 'w',
        __meta_rollcall_tags: ',a,b,',
        __meta_rollcall_vmid: '100',
      },
    },
  ]);
});
