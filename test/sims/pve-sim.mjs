#!/usr/bin/env node
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
// A stand-in for the Proxmox VE API, for tests and measurements: it answers as pveproxy does, for an estate made from a
// seed, and goes wrong in each way that is asked for. Listens on loopback unless told otherwise. --help says how.
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

class Err extends Error {
  constructor(status, msg, errors) {
    super(msg);
    this.status = status;
    this.errors = errors;
  }
}
class Usage extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

const HELP = `pve-sim.mjs - Proxmox VE API simulator

  node pve-sim.mjs [options]

Server
  --port N            port (default 18006; 0 = any free one, printed)
  --host ADDR         address to listen on (default 127.0.0.1)
  --tls               HTTPS with a self-signed certificate (made with openssl)
  --tls-dir DIR       where the certificate lives or is written (default: a new temp folder)
  --no-gzip           never compress (pveproxy gzips bodies over 1024 bytes when asked)
  --quiet             print nothing but the ready line

Estate
  --nodes N           cluster nodes (default 3; 1 = standalone node, no corosync cluster)
  --guests M          guests in all (default 30)
  --now TIME          its clock stands there, until /__sim/pass (default: the machine's)
  --seed S            seed; the same seed gives the same estate (default 1)
  --pve 7|8|9         which major version to behave like (default 9)
  --cluster NAME      cluster name (default pvesim)
  --lxc-share F       share of containers (default 0.3)
  --offline a,b       nodes that are down from the start
  --standalone        same as --nodes 1

Who may see what
  --token 'USER@REALM!ID=SECRET[#PROFILE]'   accepted token; may be repeated. PROFILE is one of
        full       everything
        auditor    the built-in role PVEAuditor on / (default)
        noagent    PVEAuditor without the guest-agent privilege (what PVE 7/8 auditors get)
        none       a token with privilege separation and no rights at all
        pool:NAME  VM.Audit on the members of one pool only
        acl:P+P    PVEAuditor on these paths, such as acl:/vms/101+/vms/102
        nodes      Sys.Audit on /nodes only
        vms        VM.Audit on /vms only
      default token: sim@pve!test=00000000-0000-4000-8000-000000000001#auditor
      also accepted: ticket login of sim@pve with password "sim"
  --auth-delay MS     delay of every 401 (real servers: 3000; default 0)

Faults from the start (all can be changed while running, see below)
  --latency MS        added to every answer          --jitter MS  plus up to this much
  --agent-latency MS  added to agent calls that work
  --dead-agent-delay MS  how long a configured but dead agent takes to say so (real: 3000; default 0)
  --offline-grace SEC guests of a node that just went down keep their last values this long (real: 300; default 0)
  --offline-delay MS  how long a proxied call to a dead node takes (default 20)
  --error-rate P      share of calls that fail with --error-status (default 500)
  --reset-rate P      share of calls whose connection is reset
  --hang-rate P       share of calls that never answer
  --truncate-rate P   share of calls cut off in the middle of the body
  --max-conn N        refuse (503-less: plain reset) connections above N

Recorded answers instead of a made-up estate
  --fixtures DIR      DIR holds index.json (endpoint, query, status, statusText, sequence, file) + files
  --fixture-filter RX only entries whose file name matches
      (entries of one "sequence" are served one after the other, the last one stays)

Control (no login; not part of the API)
  GET  /__sim/stats                     request counts per path pattern, statuses, bytes, peak concurrency
  POST /__sim/reset                     clear the counts
  GET  /__sim/state[?full=1]            nodes and guests as they are now
  POST /__sim/faults                    JSON {"rules":[RULE...]} replaces all rules; [] clears
  GET  /__sim/fault?KEY=VALUE...        add one rule; /__sim/fault?clear=1 clears
       RULE: match (regular expression on path+query), kind (latency|status|reset|hang|truncate|badjson|html|
             empty|nulldata|drip), rate (0..1, default 1), ms, status, message, times (then it ends)
  POST /__sim/do  or GET /__sim/do?op=  one change of the estate:
       rename vmid,name | tag vmid,tags | migrate vmid,to | start/stop/pause/resume/lock/unlock vmid | delete vmid |
       create type,node,name | reuse vmid (delete, then a different guest with the same vmid) |
       template vmid | ip vmid,ip | node-offline node | node-online node | node-remove node | profile token,to |
       pve to (7|8|9) | vnet vnet[,zone,tag] | pool vmid[,pool] | set vmid,values (JSON: fields of the guest) | quorate [to] (0|1) |
       storage-remove storage | node-add node | node-rename node,to | down vmid,down[,nic] (a card has no address now)
       restore vmid[,to,name,node,off] (over itself, or its body beside it under the number TO) |
       rebuild vmid (the same number and name, another UUID and other MACs)
       Most are remembered in /cluster/tasks, done by user (default root@pam).
       agent vmid,state (ok|dead|timeout|disabled|unsupported|none) | fresh vmid[,off] (just created: 'unknown', no name)
  POST /__sim/churn or GET /__sim/churn?renames=&migrations=&deletes=&creates=&restarts=&seed=
  GET  /__sim/truth                     what a perfect discovery should know (ids, names, primary addresses)
  GET  /__sim/pass?seconds=                moves its clock, which stands still from then on
  GET  /__sim/set?latency=&jitter=&agentLatency=&deadAgentDelay=&offlineDelay=&offlineGrace=&authDelay=
  POST /__sim/quit
`;

/**
 * One cluster, with the options of the command line: resolves when it answers. What is on /__sim/ of it is on the
 * object too.
 */
export async function startSim(argv) {
  // ---------- arguments ----------
  const A = { token: [] };
  for (let i = 0, v = argv; i < v.length; i++) {
    const a = v[i];
    if (a === '-h' || a === '--help') {
      throw new Usage(HELP, 0);
    }
    if (!a.startsWith('--')) throw new Usage(`unknown argument ${a}`, 2);
    let k = a.slice(2),
      val;
    if (k.includes('=') && !k.startsWith('token')) {
      [k, val] = [k.slice(0, k.indexOf('=')), k.slice(k.indexOf('=') + 1)];
    } else if (['tls', 'no-gzip', 'quiet', 'standalone'].includes(k)) val = true;
    else val = v[++i];
    if (k === 'token') A.token.push(val);
    else A[k] = val;
  }
  const num = (k, d) => (A[k] === undefined ? d : Number(A[k]));
  const opt = {
    port: num('port', 18006),
    host: A.host ?? '127.0.0.1',
    tls: !!A.tls,
    nodes: A.standalone ? 1 : num('nodes', 3),
    guests: num('guests', 30),
    seed: num('seed', 1),
    pve: num('pve', 9),
    cluster: A.cluster ?? 'pvesim',
    lxcShare: num('lxc-share', 0.3),
    offline: (A.offline ?? '').split(',').filter(Boolean),
    authDelay: num('auth-delay', 0),
    latency: num('latency', 0),
    jitter: num('jitter', 0),
    offlineGrace: num('offline-grace', 0),
    agentLatency: num('agent-latency', 0),
    deadAgentDelay: num('dead-agent-delay', 0),
    offlineDelay: num('offline-delay', 20),
    gzip: !A['no-gzip'],
    maxConn: num('max-conn', 0),
    fixtures: A.fixtures,
    fixtureFilter: A['fixture-filter'],
  };
  if (![7, 8, 9].includes(opt.pve)) throw new Usage('--pve must be 7, 8 or 9', 2);

  // ---------- random ----------
  const rng = (seed) => {
    let s = seed >>> 0 || 1;
    return () => {
      s |= 0;
      s = (s + 0x6d2b79f5) | 0;
      let t = Math.imul(s ^ (s >>> 15), 1 | s);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  };
  const R = rng(opt.seed);
  const pick = (a, r = R) => a[Math.floor(r() * a.length)];
  const int = (lo, hi, r = R) => lo + Math.floor(r() * (hi - lo + 1));
  const hex = (n, r = R) => Array.from({ length: n }, () => Math.floor(r() * 16).toString(16)).join('');
  const uuid = (r = R) =>
    `${hex(8, r)}-${hex(4, r)}-4${hex(3, r)}-${pick(['8', '9', 'a', 'b'], r)}${hex(3, r)}-${hex(12, r)}`;
  const mac = (r = R) => `BC:24:11:${hex(6, r).toUpperCase().match(/../g).join(':')}`;
  const sha1 = (s) => createHash('sha1').update(s).digest('hex');
  const GiB = 2 ** 30,
    MiB = 2 ** 20;

  // ---------- estate ----------
  const VERS = {
    7: { release: '7.4', version: '7.4-18', repoid: 'b1f94095' },
    8: { release: '8.4', version: '8.4.1', repoid: '2a5fa54a8503f96d' },
    9: { release: '9.1', version: '9.1.4', repoid: '5ac30304265fbd8e' },
  };
  const ROLES = [
    'web',
    'db',
    'mail',
    'dns',
    'proxy',
    'git',
    'ci-runner',
    'k8s-worker',
    'k8s-cp',
    'media',
    'nas',
    'backup',
    'monitor',
    'grafana',
    'vault',
    'ldap',
    'build',
    'win-ad',
    'win-rds',
    'hassio',
    'pihole',
    'jellyfin',
    'nextcloud',
    'postgres',
    'redis',
    'haproxy',
    'router',
    'vpn',
    'mqtt',
    'test',
  ];
  const TAGS = [
    'prod',
    'dev',
    'staging',
    'web',
    'db',
    'k8s',
    'linux',
    'windows',
    'backup',
    'critical',
    'team_a',
    'team-b',
    'dmz',
    'iot',
    'docker',
    'lab',
    'v1.2',
    'c++',
  ];
  const POOLS = ['production', 'lab', 'customers', 'customers/acme', 'customers/acme/web', 'iot'];
  // Stands still where it is given, and goes on by /__sim/pass.
  let at = A.now === undefined ? undefined : Date.parse(A.now);
  const nowMs = () => at ?? Date.now();
  const started = nowMs();
  const sec = () => Math.floor(nowMs() / 1000);
  const st = {
    version: 1,
    nodes: new Map(),
    guests: new Map(),
    storages: [],
    pools: new Map(),
    /** @type {{ vnet: string, zone: string, tag: number, type: string }[]} */
    vnets: [],
    profile: new Map(),
    rules: [],
    nextVmid: 100,
    tickets: new Map(),
    tasks: [],
    quorate: undefined,
  };
  const bump = () => {
    st.version++;
  };

  function addNode(i) {
    const name = `pve${i}`;
    const cores = pick([4, 8, 12, 16, 32]);
    st.nodes.set(name, {
      name,
      nodeid: i,
      ip: `10.0.0.${10 + i}`,
      online: !opt.offline.includes(name),
      cores,
      mem: pick([16, 32, 64, 128, 256]) * GiB,
      disk: pick([100, 240, 480, 960]) * GiB,
      boot: sec() - int(3600, 9e6),
      fp: Array.from({ length: 32 }, () => hex(2).toUpperCase()).join(':'),
    });
  }
  for (let i = 1; i <= opt.nodes; i++) addNode(i);
  const nodeNames = () => [...st.nodes.keys()];
  st.storages = [
    { storage: 'local', type: 'dir', content: 'vztmpl,iso,backup', shared: 0, path: '/var/lib/vz', total: 94 * GiB },
    {
      storage: 'local-lvm',
      type: 'lvmthin',
      content: 'images,rootdir',
      shared: 0,
      vgname: 'pve',
      thinpool: 'data',
      total: 400 * GiB,
    },
    {
      storage: 'nas-nfs',
      type: 'nfs',
      content: 'backup,iso,images',
      shared: 1,
      server: '10.0.0.2',
      export: '/volume1/pve',
      path: '/mnt/pve/nas-nfs',
      total: 7300 * GiB,
    },
    ...(opt.nodes > 2
      ? [{ storage: 'ceph-rbd', type: 'rbd', content: 'images,rootdir', shared: 1, pool: 'rbd', total: 5400 * GiB }]
      : []),
    {
      storage: 'pbs',
      type: 'pbs',
      content: 'backup',
      shared: 1,
      server: '10.0.0.3',
      datastore: 'main',
      total: 3600 * GiB,
      disable: 0,
    },
  ];
  for (const p of POOLS.filter((p) => (opt.pve >= 8 ? true : !p.includes('/'))))
    st.pools.set(p, { poolid: p, comment: p === 'lab' ? 'Übungs-Labor, "try & error"' : undefined });

  let ipCounter = 0;
  function nextIp(vlan) {
    ipCounter++;
    return `10.${vlan}.${Math.floor(ipCounter / 250) % 250}.${(ipCounter % 250) + 2}`;
  }

  const used = new Set();
  function makeGuest(o = {}) {
    const r = o.r ?? R;
    let vmid = o.vmid;
    if (vmid === undefined) {
      vmid = st.nextVmid;
      while (st.guests.has(vmid)) vmid++;
      st.nextVmid = vmid + (r() < 0.04 ? int(2, 90, r) : 1);
    }
    const type = o.type ?? (r() < opt.lxcShare ? 'lxc' : 'qemu');
    const node = o.node ?? pick(nodeNames(), r);
    const role = pick(ROLES, r);
    const odd = r();
    let name = o.name ?? `${role}-${String(int(1, 60, r)).padStart(2, '0')}`;
    if (o.name === undefined) {
      if (odd < 0.02)
        name = undefined; // no name at all: API shows "VM <id>" / "CT<id>"
      else if (odd < 0.05) name = `${role}.example.lan`;
      else if (odd < 0.07) name = role.toUpperCase() + int(1, 99, r);
      else if (odd < 0.08) name = `xn--mller-kva-${int(1, 99, r)}`;
      else if (odd < 0.09) name = `Copy-of-${role}`;
      else if (odd < 0.095) name = 'a'.repeat(60);
    }
    if (o.name === undefined && name !== undefined && used.has(name) && r() < 0.9) name = `${role}-${vmid}`; // one in ten clashes stays a duplicate name
    if (name !== undefined) used.add(name);
    const win = type === 'qemu' && (role.startsWith('win') || r() < 0.06);
    const template = o.template ?? (r() < 0.06 ? 1 : 0);
    const running = template ? false : (o.running ?? r() < 0.78);
    const vlan = pick([1, 10, 20, 30, 40], r);
    const nics = type === 'qemu' ? (r() < 0.75 ? 1 : int(2, 4, r)) : r() < 0.88 ? 1 : 2;
    const agentR = r();
    const agent =
      type !== 'qemu'
        ? undefined
        : agentR < 0.55
          ? '1'
          : agentR < 0.66
            ? 'enabled=1,fstrim_cloned_disks=1'
            : agentR < 0.69
              ? '1,type=virtio'
              : agentR < 0.73
                ? '0'
                : agentR < 0.75
                  ? 'enabled=0'
                  : undefined;
    const agentOn = agent && !/^(enabled=)?0/.test(agent);
    const g = {
      vmid,
      type,
      node,
      name,
      template,
      running,
      role,
      win,
      created: sec() - int(1e5, 1e8, r),
      uuid: uuid(r),
      vmgenid: uuid(r),
      cores: pick([1, 2, 2, 4, 4, 8], r),
      sockets: r() < 0.9 ? 1 : 2,
      memMiB: pick([512, 1024, 2048, 4096, 8192, 16384], r),
      diskGiB: pick([4, 8, 16, 32, 64, 100, 250], r),
      bootAt: sec() - int(60, 5e6, r),
      agent,
      agentState: agentOn ? (r() < 0.86 ? 'ok' : r() < 0.75 ? 'dead' : r() < 0.5 ? 'disabled' : 'unsupported') : 'none',
      tags: r() < 0.6 ? Array.from(new Set(Array.from({ length: int(1, 4, r) }, () => pick(TAGS, r)))) : [],
      tagSep: r() < 0.93 ? ';' : pick([',', ' ', '; '], r),
      pool: r() < 0.4 ? pick([...st.pools.keys()], r) : undefined,
      hastate: r() < 0.08 && opt.nodes > 1 ? 'started' : undefined,
      lock: r() < 0.01 ? pick(['backup', 'migrate', 'snapshot', 'clone'], r) : undefined,
      onboot: r() < 0.6 ? 1 : undefined,
      nics: [],
      storage: pick(['local-lvm', 'local-lvm', opt.nodes > 2 ? 'ceph-rbd' : 'local', 'nas-nfs'], r),
      snaps: r() < 0.12 ? int(1, 4, r) : 0,
      desc:
        r() < 0.35
          ? pick(
              [
                '# Web server\n\nOwner: **Ops**, see https://wiki.example.lan/x?a=1&b=2\n',
                'managed by terraform',
                '<div align="center"><a href="https://example.org">LXC</a></div>\n',
                'Größe: 10 % — läuft über Nacht\n日本語\n',
                'line1\nline2: a=b,c;d\n',
                'IP 192.0.2.10\r\nroot/hunter2-not-a-secret\n',
              ],
              r,
            )
          : undefined,
      ostype:
        type === 'lxc'
          ? pick(['debian', 'ubuntu', 'alpine', 'centos', 'archlinux', 'unmanaged'], r)
          : win
            ? pick(['win11', 'win10', 'w2k19'], r)
            : pick(['l26', 'l26', 'l26', 'other'], r),
      os: win
        ? pick(
            [
              ['mswindows', 'Microsoft Windows', 'Windows Server 2022 Standard', 'N/A', '20348'],
              ['mswindows', 'Microsoft Windows', 'Windows 11 Pro', 'N/A', '22631'],
            ],
            r,
          )
        : pick(
            [
              ['debian', 'Debian GNU/Linux', 'Debian GNU/Linux 12 (bookworm)', '12', '6.1.0-28-amd64'],
              ['ubuntu', 'Ubuntu', 'Ubuntu 24.04.1 LTS', '24.04', '6.8.0-51-generic'],
              ['rocky', 'Rocky Linux', 'Rocky Linux 9.5 (Blue Onyx)', '9.5', '5.14.0-503.14.1.el9_5.x86_64'],
              ['fedora', 'Fedora Linux', 'Fedora Linux 41 (Server Edition)', '41', '6.11.4-301.fc41.x86_64'],
              ['alpine', 'Alpine Linux', 'Alpine Linux v3.20', '3.20.3', '6.6.63-0-lts'],
            ],
            r,
          ),
      docker: r() < 0.25,
      k8s: role.startsWith('k8s'),
      vpn: /^(vpn|router)/.test(role) || r() < 0.05,
      cloudinit: type === 'qemu' && r() < 0.3,
      dhcp: r() < 0.4,
      v6: r() < 0.35,
      unpriv: r() < 0.85 ? 1 : undefined,
      epoch: st.version,
      brId: hex(12, r),
      vethId: hex(7, r),
      cs: r() < 0.5,
    };
    for (let i = 0; i < nics; i++)
      g.nics.push({
        mac: mac(r),
        model: win ? pick(['e1000', 'virtio'], r) : 'virtio',
        bridge: pick(['vmbr0', 'vmbr0', 'vmbr1'], r),
        vlan: vlan === 1 ? undefined : vlan + i,
        ip: nextIp(vlan + i),
        v6: g.v6 ? `2001:db8:${(vlan + i).toString(16)}::${hex(4, r)}` : undefined,
        fw: r() < 0.5,
        down: r() < 0.02,
      });
    if (type === 'qemu' && running && r() < 0.01) g.paused = true; // the cluster row says paused, the node's list says running
    st.guests.set(vmid, g);
    return g;
  }
  if (!opt.fixtures) for (let i = 0; i < opt.guests; i++) makeGuest();

  // ---------- rights ----------
  const AUDIT9 = [
    'VM.Audit',
    'VM.GuestAgent.Audit',
    'Sys.Audit',
    'Datastore.Audit',
    'SDN.Audit',
    'Pool.Audit',
    'Mapping.Audit',
  ];
  const AUDIT8 = ['VM.Audit', 'Sys.Audit', 'Datastore.Audit', 'SDN.Audit', 'Pool.Audit', 'Mapping.Audit'];
  const ALLP = [
    ...AUDIT9,
    'VM.Monitor',
    'Sys.Modify',
    'VM.Config.Options',
    'VM.PowerMgmt',
    'Datastore.Allocate',
    'SDN.Allocate',
    'Pool.Allocate',
    'User.Modify',
    'Permissions.Modify',
  ];
  function grants(profile) {
    // list of [path, priv[]], everything below a path inherits
    const isnine = opt.pve >= 9;
    if (profile === 'full') return [['/', ALLP]];
    if (profile === 'auditor') return [['/', isnine ? AUDIT9 : AUDIT8]];
    if (profile === 'noagent') return [['/', AUDIT8]];
    if (profile === 'none') return [];
    if (profile === 'nodes') return [['/nodes', ['Sys.Audit']]];
    if (profile === 'vms') return [['/vms', ['VM.Audit']]];
    if (profile?.startsWith('acl:'))
      return profile
        .slice(4)
        .split('+')
        .map((path) => [path, isnine ? AUDIT9 : AUDIT8]);
    if (profile?.startsWith('pool:')) {
      const p = profile.slice(5);
      return [[`/pool/${p}`, ['VM.Audit', 'Pool.Audit']]];
    }
    return [];
  }
  function allowed(who, path, priv) {
    for (const [p, l] of grants(who.profile)) {
      if (!l.includes(priv)) continue;
      if (p === '/' || path === p || path.startsWith(`${p}/`)) return true;
      if (p.startsWith('/pool/') && path.startsWith('/vms/')) {
        const g = st.guests.get(Number(path.slice(5)));
        if (g && g.pool === p.slice(6)) return true;
      }
    }
    return false;
  }
  const need = (who, path, privs, any) => {
    if (!(any ? privs.some((p) => allowed(who, path, p)) : privs.every((p) => allowed(who, path, p))))
      throw new Err(403, `Permission check failed (${path}, ${privs.join(any ? '|' : ', ')})`);
  };

  // ---------- views ----------
  const online = (n) => st.nodes.get(n)?.online;
  const fresh = (n) => n && (n.online || (n.offlineAt && nowMs() - n.offlineAt < opt.offlineGrace * 1000)); // the status cache still has values
  const wob = (g, k) =>
    Math.abs(Math.sin((g.vmid ?? g.nodeid) * 12.9898 + k + Math.floor((nowMs() - started) / 10000)));
  function nodeStats(n, audit) {
    const e = { id: `node/${n.name}`, node: n.name, type: 'node', status: n.online ? 'online' : 'offline' };
    if (!fresh(n)) return e;
    e.level = '';
    if (!n.online) {
      if (audit) Object.assign(e, { maxcpu: n.cores, maxmem: n.mem, maxdisk: n.disk });
      return e;
    }
    if (audit)
      Object.assign(e, {
        uptime: sec() - n.boot,
        cpu: +(wob(n, 1) * 0.4).toFixed(15),
        mem: Math.floor(n.mem * (0.3 + 0.5 * wob(n, 2))),
        disk: Math.floor(n.disk * 0.3),
        maxcpu: n.cores,
        maxmem: n.mem,
        maxdisk: n.disk,
      });
    return e;
  }
  const shownName = (g) => g.name ?? (g.type === 'qemu' ? `VM ${g.vmid}` : `CT${g.vmid}`);
  const tagStr = (g) => (g.tags.length ? g.tags.join(g.tagSep) : undefined);
  const cpus = (g) => Math.min(g.cores * g.sockets, st.nodes.get(g.node)?.cores ?? 64);
  function stats(g) {
    const run = g.running,
      up = run ? sec() - g.bootAt : 0;
    return {
      uptime: up,
      cpu: run ? +(wob(g, 3) * 0.3).toFixed(15) : 0,
      mem: run ? Math.floor(g.memMiB * MiB * (0.2 + 0.7 * wob(g, 4))) : 0,
      maxmem: g.memMiB * MiB,
      maxdisk: g.diskGiB * GiB,
      disk: g.type === 'lxc' && run ? Math.floor(g.diskGiB * GiB * 0.4) : 0,
      netin: run ? up * 777 : 0,
      netout: run ? up * 333 : 0,
      diskread: run ? up * 99 : 0,
      diskwrite: run ? up * 55 : 0,
    };
  }
  function guestRes(g, who) {
    const e = { id: `${g.type}/${g.vmid}`, vmid: g.vmid, node: g.node, type: g.type, status: 'unknown' };
    if (fresh(st.nodes.get(g.node)) && !g.fresh) {
      Object.assign(e, stats(g), {
        name: shownName(g),
        status: g.paused && g.running ? 'paused' : g.running ? 'running' : 'stopped',
        template: g.template,
        maxcpu: cpus(g),
      });
      if (opt.pve >= 9) e.memhost = e.mem;
    }
    if (g.pool && allowed(who, `/pool/${g.pool}`, 'Pool.Audit')) e.pool = g.pool;
    if (g.lock) e.lock = g.lock;
    const t = tagStr(g);
    if (t) e.tags = t;
    if (g.hastate) e.hastate = g.hastate;
    return e;
  }
  const sees = (who, g) => allowed(who, `/vms/${g.vmid}`, 'VM.Audit');
  function storageRes(s, n) {
    const e = {
      id: `storage/${n.name}/${s.storage}`,
      storage: s.storage,
      node: n.name,
      type: 'storage',
      plugintype: s.type,
      status: 'unknown',
      shared: s.shared,
      content: s.content,
    };
    if (n.online) Object.assign(e, { maxdisk: s.total, disk: Math.floor(s.total * 0.42), status: 'available' });
    return e;
  }
  function resources(who, type) {
    const out = [];
    if (type && !['vm', 'storage', 'node', 'sdn'].includes(type))
      throw new Err(400, 'Parameter verification failed.', {
        type: `value '${type}' does not have a value in the enumeration 'vm, storage, node, sdn'`,
      });
    if (!type)
      for (const p of st.pools.keys())
        if (allowed(who, `/pool/${p}`, 'Pool.Audit')) out.push({ id: `/pool/${p}`, pool: p, type: 'pool' });
    if (!type || type === 'vm') for (const g of st.guests.values()) if (sees(who, g)) out.push(guestRes(g, who));
    if (!type || type === 'node')
      for (const n of st.nodes.values()) {
        const e = nodeStats(n, allowed(who, `/nodes/${n.name}`, 'Sys.Audit'));
        e['cgroup-mode'] = 2;
        if (opt.nodes > 1 && n.online && opt.pve >= 8) e.hastate = 'online';
        out.push(e);
      }
    if (!type || type === 'storage')
      for (const s of st.storages)
        if (allowed(who, `/storage/${s.storage}`, 'Datastore.Audit'))
          for (const n of st.nodes.values()) out.push(storageRes(s, n));
    if (opt.pve === 8 ? !type || type === 'sdn' : opt.pve === 9 && !type)
      for (const n of st.nodes.values())
        if (allowed(who, '/sdn/zones/localnetwork', 'SDN.Audit'))
          out.push(
            opt.pve >= 9
              ? {
                  id: `network/${n.name}/zone/localnetwork`,
                  type: 'network',
                  'network-type': 'zone',
                  network: 'localnetwork',
                  node: n.name,
                  status: 'ok',
                }
              : { id: `sdn/${n.name}/localnetwork`, sdn: 'localnetwork', node: n.name, type: 'sdn', status: 'ok' },
          );
    return out;
  }
  function netLine(g, i) {
    const n = g.nics[i];
    if (g.type === 'lxc')
      return `name=eth${i},bridge=${n.bridge},${n.fw ? 'firewall=1,' : ''}${g.dhcp ? '' : `gw=${n.ip.replace(/\d+$/, '1')},`}hwaddr=${n.mac},ip=${g.dhcp ? 'dhcp' : `${n.ip}/24`}${n.v6 ? `,ip6=${g.dhcp ? 'auto' : `${n.v6}/64`}` : ''}${n.vlan ? `,tag=${n.vlan}` : ''},type=veth`;
    return `${n.model}=${n.mac},bridge=${n.bridge}${n.fw ? ',firewall=1' : ''}${n.vlan ? `,tag=${n.vlan}` : ''}${n.down ? ',link_down=1' : ''}`;
  }
  function config(g) {
    const c = {};
    if (g.type === 'qemu') {
      Object.assign(c, {
        cores: g.cores,
        sockets: g.sockets,
        memory: opt.pve >= 8 ? String(g.memMiB) : g.memMiB,
        numa: 0,
        ostype: g.ostype,
        scsihw: 'virtio-scsi-single',
        boot: 'order=scsi0;ide2;net0',
        cpu: 'x86-64-v2-AES',
        smbios1: `uuid=${g.uuid}`,
        vmgenid: g.vmgenid,
        meta: `creation-qemu=${opt.pve >= 9 ? '10.0.2' : '8.1.5'},ctime=${g.created}`,
        scsi0: `${g.storage}:${g.template ? 'base' : 'vm'}-${g.vmid}-disk-0,iothread=1,size=${g.diskGiB}G`,
        ide2: 'none,media=cdrom',
      });
      if (g.name) c.name = g.name;
      if (g.agent !== undefined) c.agent = g.agent;
      if (g.cloudinit) {
        c.ide2 = `${g.storage}:vm-${g.vmid}-cloudinit,media=cdrom`;
        c.ciuser = 'ops';
        c.ipconfig0 = g.dhcp
          ? 'ip=dhcp'
          : `ip=${g.nics[0].ip}/24,gw=${g.nics[0].ip.replace(/\d+$/, '1')}${g.nics[0].v6 ? `,ip6=${g.nics[0].v6}/64` : ''}`;
      }
      if (g.win) {
        c.bios = 'ovmf';
        c.efidisk0 = `${g.storage}:vm-${g.vmid}-disk-1,efitype=4m,pre-enrolled-keys=1,size=4M`;
        c.machine = 'pc-q35-9.0';
      }
    } else {
      Object.assign(c, {
        hostname: shownName(g),
        arch: 'amd64',
        cores: g.cores,
        memory: g.memMiB,
        swap: 512,
        ostype: g.ostype,
        rootfs: `${g.storage}:${g.storage === 'nas-nfs' ? `${g.vmid}/` : ''}vm-${g.vmid}-disk-0${g.storage === 'nas-nfs' ? '.raw' : ''},size=${g.diskGiB}G`,
      });
      if (g.unpriv) c.unprivileged = 1;
      if (g.docker) {
        c.features = 'keyctl=1,nesting=1';
        c.lxc = [
          ['lxc.cgroup2.devices.allow', 'c 10:200 rwm'],
          ['lxc.mount.entry', '/dev/net dev/net none bind,create=dir'],
        ];
      }
      if (g.role === 'media' || g.role === 'nas') c.mp0 = '/mnt/tank,mp=/data,backup=0';
    }
    g.nics.forEach((_, i) => {
      c[`net${i}`] = netLine(g, i);
    });
    if (g.onboot) c.onboot = 1;
    if (g.template) c.template = 1;
    if (g.lock) c.lock = g.lock;
    const t = tagStr(g);
    if (t) c.tags = t;
    if (g.desc) c.description = g.desc.endsWith('\n') ? g.desc : `${g.desc}\n`;
    if (g.snaps) c.parent = `snap${g.snaps}`;
    c.digest = sha1(JSON.stringify(c));
    return c;
  }
  const ST = (r) => ({
    'rx-bytes': r * 9,
    'rx-packets': r,
    'rx-errs': 0,
    'rx-dropped': 0,
    'tx-bytes': r * 4,
    'tx-packets': r,
    'tx-errs': 0,
    'tx-dropped': 0,
  });
  const ll = (m) => {
    const b = m.split(':').map((x) => parseInt(x, 16));
    b[0] ^= 2;
    return `fe80::${((b[0] << 8) | b[1]).toString(16)}:${((b[2] << 8) | 0xff).toString(16)}:fe${b[3].toString(16).padStart(2, '0')}:${((b[4] << 8) | b[5]).toString(16)}`;
  };
  const a4 = (ip, p) => ({ 'ip-address-type': 'ipv4', 'ip-address': ip, prefix: p }),
    a6 = (ip, p) => ({ 'ip-address-type': 'ipv6', 'ip-address': ip, prefix: p });
  function agentIfs(g) {
    const l = [];
    if (!g.win)
      l.push({
        name: 'lo',
        'hardware-address': '00:00:00:00:00:00',
        'ip-addresses': [a4('127.0.0.1', 8), a6('::1', 128)],
        statistics: ST(1000),
      });
    g.nics.forEach((n, i) => {
      const e = {
        name: g.win
          ? i
            ? `Ethernet ${i + 1}`
            : 'Ethernet'
          : g.ostype === 'other'
            ? `vtnet${i}`
            : pick(['eth', 'ens'], rng(g.vmid)) + (i + (rng(g.vmid)() < 0.5 ? 0 : 18)),
        'hardware-address': n.mac.toLowerCase(),
        statistics: ST(5000 + g.vmid),
      };
      if (!n.down) {
        const ips = [a4(n.ip, 24)];
        if (n.v6) ips.push(a6(n.v6, 64));
        ips.push(a6(ll(n.mac) + (g.win ? `%${4 + i}` : ''), 64));
        e['ip-addresses'] = ips;
      } else if (!g.win) e['ip-addresses'] = g.cs ? [] : undefined;
      if (n.down && g.win) e['ip-addresses'] = [a4(`169.254.${g.vmid % 250}.7`, 16)];
      l.push(e);
    });
    if (g.win) l.push({ name: 'Loopback Pseudo-Interface 1', 'ip-addresses': [a6('::1', 128), a4('127.0.0.1', 8)] });
    else {
      if (g.docker) {
        l.push(
          {
            name: 'docker0',
            'hardware-address': `02:42:${g.vethId.slice(0, 2)}:aa:bb:cc`,
            'ip-addresses': [a4('172.17.0.1', 16)],
            statistics: ST(10),
          },
          {
            name: `br-${g.brId}`,
            'hardware-address': '02:42:de:ad:be:ef',
            'ip-addresses': [a4('172.18.0.1', 16), a6('fe80::42:deff:fead:beef', 64)],
            statistics: ST(10),
          },
          {
            name: `veth${g.vethId}`,
            'hardware-address': 'f2:11:22:33:44:55',
            'ip-addresses': [a6('fe80::f011:22ff:fe33:4455', 64)],
            statistics: ST(10),
          },
        );
      }
      if (g.k8s)
        for (let i = 0; i < 6; i++)
          l.push({
            name: `cali${g.brId.slice(0, 10)}${i}`,
            'hardware-address': 'ee:ee:ee:ee:ee:ee',
            'ip-addresses': [a6('fe80::ecee:eeff:feee:eeee', 64)],
            statistics: ST(3),
          });
      if (g.k8s)
        l.push(
          {
            name: 'tunl0',
            'hardware-address': '00:00:00:00:00:00',
            'ip-addresses': [a4(`10.244.${g.vmid % 250}.0`, 32)],
            statistics: ST(3),
          },
          { name: 'flannel.1', 'hardware-address': '5a:00:00:00:00:01' },
        );
      if (g.vpn)
        l.push(
          { name: 'wg0', 'ip-addresses': [a4('10.66.0.1', 24)], statistics: ST(3) },
          {
            name: 'tailscale0',
            'ip-addresses': [
              a4(`100.64.${g.vmid % 250}.9`, 32),
              a6(`fd7a:115c:a1e0::${g.vmid % 9999}`, 128),
              a6('fe80::1234', 64),
            ],
          },
        );
      if (g.role === 'router')
        for (let i = 1; i <= 40; i++)
          l.push({ name: `vrrp.${i}`, 'hardware-address': `00:00:5e:00:01:${i.toString(16).padStart(2, '0')}` });
    }
    return l.map((e) => JSON.parse(JSON.stringify(e)));
  }
  function lxcIfs(g) {
    const l = [{ name: 'lo', hwaddr: '00:00:00:00:00:00', inet: '127.0.0.1/8', inet6: '::1/128' }];
    for (const [i, n] of g.nics.entries())
      l.push({
        name: `eth${i}`,
        hwaddr: n.mac.toLowerCase(),
        inet: `${n.ip}/24`,
        inet6: n.v6 ? `${n.v6}/64` : `${ll(n.mac)}/64`,
      });
    if (g.docker) l.push({ name: 'docker0', hwaddr: '02:42:aa:bb:cc:dd', inet: '172.17.0.1/16' });
    if (opt.pve >= 8)
      for (const e of l) {
        e['hardware-address'] = e.hwaddr;
        e['ip-addresses'] = [];
        if (e.inet) {
          const [a, p] = e.inet.split('/');
          e['ip-addresses'].push({ 'ip-address-type': 'inet', 'ip-address': a, prefix: +p });
        }
        if (e.inet6) {
          const [a, p] = e.inet6.split('/');
          e['ip-addresses'].push({ 'ip-address-type': 'inet6', 'ip-address': a, prefix: +p });
        }
      }
    return l;
  }
  function listEntry(g) {
    const s = stats(g),
      e = {
        vmid: opt.pve >= 8 || g.type === 'qemu' ? g.vmid : String(g.vmid),
        name: shownName(g),
        status: g.running ? 'running' : 'stopped',
        ...s,
        cpus: cpus(g),
      };
    if (g.type === 'lxc') Object.assign(e, { type: 'lxc', swap: 0, maxswap: 512 * MiB });
    if (g.running) e.pid = 1000 + g.vmid;
    const t = tagStr(g);
    if (t) e.tags = t;
    if (g.lock) e.lock = g.lock;
    if (g.template) e.template = 1;
    return e;
  }
  function current(g) {
    const e = listEntry(g);
    e.ha = g.hastate ? { managed: 1, state: g.hastate } : { managed: 0 };
    if (g.type === 'qemu') {
      e.qmpstatus = g.running ? (g.paused ? 'paused' : 'running') : 'stopped';
      if (g.agent && !/^(enabled=)?0/.test(g.agent)) e.agent = 1;
      if (g.running) {
        e['running-qemu'] = '10.0.2';
        e['running-machine'] = 'pc-i440fx-10.0+pve0';
        e.nics = Object.fromEntries(g.nics.map((_, i) => [`tap${g.vmid}i${i}`, { netin: 1, netout: 2 }]));
      }
    }
    return e;
  }
  function snaps(g) {
    const l = [];
    for (let i = 1; i <= g.snaps; i++)
      l.push({
        name: `snap${i}`,
        snaptime: g.created + i * 86400,
        description: i % 2 ? '' : 'before update\n',
        ...(g.type === 'qemu' ? { vmstate: i % 2 } : {}),
        ...(i > 1 ? { parent: `snap${i - 1}` } : {}),
      });
    l.push({
      name: 'current',
      description: 'You are here!',
      digest: config(g).digest,
      running: g.running ? 1 : 0,
      ...(g.snaps ? { parent: `snap${g.snaps}` } : {}),
    });
    return l;
  }
  function nodeNet(n) {
    const ip = n.ip;
    const l = [
      {
        iface: 'eno1',
        type: 'eth',
        method: 'manual',
        method6: 'manual',
        families: ['inet'],
        exists: 1,
        active: 1,
        priority: 3,
      },
      { iface: 'eno2', type: 'eth', method: 'manual', method6: 'manual', families: ['inet'], exists: 1, priority: 4 },
      {
        iface: 'vmbr0',
        type: 'bridge',
        method: 'static',
        method6: 'static',
        address: ip,
        netmask: '24',
        cidr: `${ip}/24`,
        gateway: '10.0.0.1',
        address6: `2001:db8::${10 + n.nodeid}`,
        netmask6: 64,
        cidr6: `2001:db8::${10 + n.nodeid}/64`,
        bridge_ports: 'eno1',
        bridge_stp: 'off',
        bridge_fd: '0',
        families: ['inet', 'inet6'],
        autostart: 1,
        active: 1,
        priority: 5,
      },
      {
        iface: 'vmbr1',
        type: 'bridge',
        method: 'manual',
        method6: 'manual',
        bridge_ports: 'bond0',
        bridge_vlan_aware: 1,
        bridge_vids: '2-4094',
        bridge_stp: 'off',
        bridge_fd: '0',
        comments: 'VM trunk\n',
        families: ['inet'],
        autostart: 1,
        active: 1,
        priority: 7,
      },
      {
        iface: 'bond0',
        type: 'bond',
        bond_mode: '802.3ad',
        slaves: 'eno2 eno3',
        method: 'manual',
        method6: 'manual',
        families: ['inet'],
        autostart: 1,
        active: 1,
        priority: 6,
      },
      {
        iface: 'vmbr0.50',
        type: 'vlan',
        'vlan-id': '50',
        'vlan-raw-device': 'vmbr0',
        method: 'static',
        address: `10.50.0.${10 + n.nodeid}`,
        cidr: `10.50.0.${10 + n.nodeid}/24`,
        netmask: '24',
        method6: 'manual',
        families: ['inet'],
        exists: null,
        autostart: 1,
        active: 1,
        priority: 8,
      },
    ];
    return l;
  }

  // ---------- API ----------
  function guestOf(node, type, id, who, privs = ['VM.Audit'], any = false) {
    if (!/^[1-9]\d{2,8}$/.test(id))
      throw new Err(400, 'Parameter verification failed.', {
        vmid: 'invalid format - value does not look like a valid VM ID\n',
      });
    need(who, `/vms/${id}`, privs, any);
    const n = st.nodes.get(node);
    if (!n)
      throw new Err(
        500,
        `hostname lookup '${node}' failed - failed to get address info for: ${node}: Name or service not known`,
      );
    if (!n.online) throw new Err(595, 'No route to host');
    const g = st.guests.get(+id);
    if (!g || g.node !== node || g.type !== type)
      throw new Err(
        500,
        `Configuration file 'nodes/${node}/${type === 'qemu' ? 'qemu-server' : 'lxc'}/${id}.conf' does not exist`,
      );
    return g;
  }
  function nodeUp(node) {
    const n = st.nodes.get(node);
    if (!n)
      throw new Err(
        500,
        `hostname lookup '${node}' failed - failed to get address info for: ${node}: Name or service not known`,
      );
    if (!n.online) throw new Err(595, 'No route to host');
    return n;
  }
  const wait = (ms) => new Promise((r) => setTimeout(r, ms));
  async function agentCall(g, cmd) {
    if (g.agent === undefined) throw new Err(500, 'No QEMU guest agent configured');
    if (!g.running) throw new Err(500, `VM ${g.vmid} is not running`);
    if (g.agentState === 'none' || g.agentState === 'dead') {
      if (g.agentState === 'dead' && opt.deadAgentDelay) await wait(opt.deadAgentDelay);
      throw new Err(500, 'QEMU guest agent is not running');
    }
    if (g.agentState === 'timeout') {
      await wait(opt.deadAgentDelay);
      throw new Err(500, `VM ${g.vmid} qmp command 'guest-${cmd}' failed - got timeout`);
    }
    if (opt.agentLatency) await wait(opt.agentLatency);
    if (g.agentState === 'disabled')
      return { result: { error: { class: 'CommandNotFound', desc: `Command guest-${cmd} has been disabled` } } };
    if (g.agentState === 'unsupported' && g.win)
      return {
        result: { error: { class: 'Unsupported', desc: 'this feature or command is not currently supported' } },
      };
    switch (cmd) {
      case 'network-get-interfaces':
        return { result: agentIfs(g) };
      case 'get-host-name':
        return {
          result: {
            'host-name': g.win ? shownName(g).toUpperCase().slice(0, 15) : shownName(g) + (g.cs ? '.example.lan' : ''),
          },
        };
      case 'get-osinfo': {
        const [id, name, pretty, ver, kr] = g.os;
        return {
          result: g.win
            ? {
                id,
                name,
                'pretty-name': pretty,
                version: ver === 'N/A' ? 'N/A' : ver,
                'version-id': 'N/A',
                variant: 'server',
                'variant-id': 'server',
                'kernel-release': kr,
                'kernel-version': '10.0',
                machine: 'x86_64',
              }
            : {
                id,
                name,
                'pretty-name': pretty,
                version: pretty.replace(/^.* (\d)/, '$1'),
                'version-id': ver,
                'kernel-release': kr,
                'kernel-version': '#1 SMP',
                machine: 'x86_64',
              },
        };
      }
      case 'get-fsinfo':
        return {
          result: g.win
            ? [
                {
                  name: `\\\\?\\Volume{${g.uuid}}\\`,
                  mountpoint: 'C:\\',
                  type: 'NTFS',
                  'total-bytes': g.diskGiB * GiB,
                  'used-bytes': Math.floor(g.diskGiB * GiB * 0.5),
                  disk: [],
                },
              ]
            : [
                {
                  name: 'sda1',
                  mountpoint: '/',
                  type: 'ext4',
                  'total-bytes': g.diskGiB * GiB,
                  'used-bytes': Math.floor(g.diskGiB * GiB * 0.3),
                  disk: [
                    {
                      bus: 0,
                      'bus-type': 'scsi',
                      dev: '/dev/sda1',
                      target: 0,
                      unit: 0,
                      'pci-controller': { domain: 0, bus: 1, slot: 1, function: 0 },
                    },
                  ],
                },
              ],
        };
      case 'info':
        return {
          result: {
            version: '7.2.13',
            supported_commands: [{ name: 'guest-network-get-interfaces', enabled: true, 'success-response': true }],
          },
        };
      case 'get-timezone':
        return { result: { zone: 'CET', offset: 3600 } };
      case 'get-vcpus':
        return {
          result: Array.from({ length: cpus(g) }, (_, i) => ({ 'logical-id': i, online: true, 'can-offline': i > 0 })),
        };
      case 'get-users':
        return { result: [] };
      default:
        throw new Err(501, `Method 'GET /nodes/${g.node}/qemu/${g.vmid}/agent/${cmd}' not implemented`);
    }
  }
  async function api(path, q, who, method) {
    const p = path.split('/').filter(Boolean).map(decodeURIComponent);
    const nimp = () => {
      throw new Err(501, `Method '${method} ${path}' not implemented`);
    };
    if (method !== 'GET') return nimp();
    switch (p[0]) {
      case undefined:
        return ['version', 'cluster', 'nodes', 'storage', 'access', 'pools'].map((subdir) => ({ subdir }));
      case 'version':
        return { ...VERS[opt.pve] };
      case 'cluster':
        switch (p.slice(1).join('/')) {
          case '':
            return ['resources', 'status', 'tasks', 'backup', 'ha', 'options'].map((name) => ({ name }));
          case 'status': {
            need(who, '/', ['Sys.Audit']);
            const l = [];
            if (st.nodes.size > 1)
              l.push({
                type: 'cluster',
                id: 'cluster',
                name: opt.cluster,
                nodes: st.nodes.size,
                version: st.nodes.size,
                quorate:
                  st.quorate ?? ([...st.nodes.values()].filter((n) => n.online).length * 2 > st.nodes.size ? 1 : 0),
              });
            let first = true;
            for (const n of st.nodes.values()) {
              l.push({
                type: 'node',
                id: `node/${n.name}`,
                name: n.name,
                nodeid: st.nodes.size > 1 ? n.nodeid : 0,
                ip: n.ip,
                local: first ? 1 : 0,
                online: n.online ? 1 : 0,
                level: n.online ? '' : null,
              });
              first = false;
            }
            return l.map((e) => (e.level === null ? { ...e, level: '' } : e));
          }
          case 'resources':
            return resources(who, q.get('type') ?? undefined);
          case 'ha/resources':
            need(who, '/', ['Sys.Audit']);
            return [...st.guests.values()]
              .filter((g) => g.hastate)
              .map((g) => ({
                sid: (g.type === 'qemu' ? 'vm:' : 'ct:') + g.vmid,
                type: g.type === 'qemu' ? 'vm' : 'ct',
                state: g.hastate,
                ...(opt.pve < 9 ? { group: 'prefer-pve1' } : { failback: 1 }),
                digest: sha1('ha'),
              }));
          case 'ha/groups':
            need(who, '/', ['Sys.Audit']);
            if (opt.pve >= 9) throw new Err(500, 'cannot index groups: ha groups have been migrated to rules');
            return [
              {
                group: 'prefer-pve1',
                nodes: 'pve1:2,pve2:1',
                type: 'group',
                nofailback: 0,
                restricted: 0,
                digest: sha1('g'),
              },
            ];
          case 'ha/rules':
            need(who, '/', ['Sys.Audit']);
            if (opt.pve < 9) return nimp();
            return [
              {
                rule: 'prefer-pve1',
                type: 'node-affinity',
                nodes: 'pve1:2,pve2:1',
                resources: [...st.guests.values()]
                  .filter((g) => g.hastate)
                  .map((g) => (g.type === 'qemu' ? 'vm:' : 'ct:') + g.vmid)
                  .join(','),
                strict: 0,
                order: 1,
                digest: sha1('r'),
              },
            ];
          case 'ha/status/current':
            need(who, '/', ['Sys.Audit']);
            return [
              { id: 'quorum', node: nodeNames()[0], type: 'quorum', quorate: 1, status: 'OK' },
              ...nodeNames().map((n) => ({
                id: `lrm:${n}`,
                node: n,
                type: 'lrm',
                status: online(n) ? `${n} (active, now)` : `${n} (old timestamp - dead?)`,
                timestamp: sec(),
              })),
            ];
          case 'backup':
            need(who, '/', ['Sys.Audit']);
            return [
              {
                id: 'backup-9d2f1c3a-01',
                type: 'vzdump',
                schedule: '02:30',
                storage: 'pbs',
                mode: 'snapshot',
                enabled: 1,
                all: 1,
                exclude: '101',
                'prune-backups': { 'keep-daily': '7', 'keep-weekly': '4' },
                'notes-template': '{{guestname}}',
                'next-run': sec() + 3600,
              },
              {
                id: 'backup-9d2f1c3a-02',
                type: 'vzdump',
                schedule: 'sun 01:00',
                storage: 'nas-nfs',
                mode: 'stop',
                enabled: 0,
                pool: 'production',
                compress: 'zstd',
              },
            ];
          case 'backup-info/not-backed-up':
            need(who, '/', ['Sys.Audit']);
            return [...st.guests.values()]
              .filter((g) => g.vmid === 101 && sees(who, g))
              .map((g) => ({ vmid: g.vmid, name: shownName(g), type: g.type }));
          case 'options':
            return allowed(who, '/', 'Sys.Audit')
              ? {
                  keyboard: 'de',
                  mac_prefix: 'BC:24:11',
                  'tag-style': { ordering: 'alphabetical' },
                  'allowed-tags': [],
                }
              : { 'allowed-tags': [] };
          case 'tasks':
            return st.tasks.filter(
              (t) => allowed(who, `/nodes/${t.node}`, 'Sys.Audit') || t.user === who.id.split('!')[0],
            );
          case 'replication':
            return [];
          case 'nextid': {
            const v = q.get('vmid');
            if (v) {
              if (st.guests.has(+v))
                throw new Err(400, 'Parameter verification failed.', { vmid: `VM ${v} already exists` });
              return v;
            }
            let n = 100;
            while (st.guests.has(n)) n++;
            return String(n);
          }
          case 'sdn/zones':
            return [];
          case 'sdn/vnets':
            return st.vnets.filter(({ zone, vnet }) => allowed(who, `/sdn/zones/${zone}/${vnet}`, 'SDN.Audit'));
          case 'log':
            return [];
          case 'config/nodes':
            need(who, '/', ['Sys.Audit']);
            return [...st.nodes.values()].map((n) => ({
              node: n.name,
              name: n.name,
              nodeid: String(n.nodeid),
              quorum_votes: '1',
              ring0_addr: n.ip,
            }));
          default:
            return nimp();
        }
      case 'nodes': {
        if (p.length === 1)
          return [...st.nodes.values()].map((n) => ({
            ...nodeStats(n, allowed(who, `/nodes/${n.name}`, 'Sys.Audit')),
            ssl_fingerprint: n.fp,
          }));
        const node = p[1],
          rest = p.slice(2);
        if (!/^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$/.test(node))
          throw new Err(400, 'Parameter verification failed.', {
            node: 'invalid format - value does not look like a valid node name\n',
          });
        const np = `/nodes/${node}`;
        if (rest[0] === 'qemu' || rest[0] === 'lxc') {
          const type = rest[0];
          if (rest.length === 1) {
            nodeUp(node);
            return [...st.guests.values()]
              .filter((g) => g.node === node && g.type === type && sees(who, g))
              .map(listEntry);
          }
          const sub = rest.slice(2).join('/');
          if (type === 'qemu' && rest[2] === 'agent' && rest[3]) {
            const g = guestOf(
              node,
              type,
              rest[1],
              who,
              opt.pve >= 9 ? ['VM.GuestAgent.Audit', 'VM.GuestAgent.Unrestricted'] : ['VM.Monitor'],
              opt.pve >= 9,
            );
            return agentCall(g, rest[3]);
          }
          const known = [
            '',
            'config',
            'status/current',
            'snapshot',
            'pending',
            'interfaces',
            'firewall/options',
            'firewall/rules',
          ];
          if (!known.includes(sub)) return nimp();
          if (sub === 'interfaces' && (type !== 'lxc' || opt.pve < 8)) return nimp();
          const g = guestOf(node, type, rest[1], who);
          switch (sub) {
            case '':
              return [{ subdir: 'config' }, { subdir: 'status' }, { subdir: 'snapshot' }];
            case 'config':
              return config(g);
            case 'status/current':
              return current(g);
            case 'snapshot':
              return snaps(g);
            case 'pending':
              return Object.entries(config(g)).map(([key, value]) => ({ key, value }));
            case 'interfaces':
              return g.running ? lxcIfs(g) : null;
            case 'firewall/options':
              return { enable: 0 };
            case 'firewall/rules':
              return [];
          }
        }
        switch (rest.join('/')) {
          case '':
            nodeUp(node);
            return ['qemu', 'lxc', 'network', 'storage', 'status', 'version'].map((name) => ({ name }));
          case 'status': {
            need(who, np, ['Sys.Audit']);
            const n = nodeUp(node);
            return {
              uptime: sec() - n.boot,
              pveversion: `pve-manager/${VERS[opt.pve].version}/${VERS[opt.pve].repoid}`,
              kversion: 'Linux 6.8.12-4-pve #1 SMP PREEMPT_DYNAMIC PMX 6.8.12-4 (2024-11-06T15:04Z)',
              'current-kernel': { sysname: 'Linux', release: '6.8.12-4-pve', version: '#1 SMP', machine: 'x86_64' },
              'boot-info': { mode: 'efi', secureboot: 0 },
              cpuinfo: {
                model: 'Intel(R) Core(TM) i5-12500T',
                vendor: 'GenuineIntel',
                cores: n.cores / 2,
                cpus: n.cores,
                sockets: 1,
                mhz: '800.000',
                flags: 'fpu vme',
                hvm: '1',
                user_hz: 100,
              },
              cpu: 0.03,
              loadavg: ['0.21', '0.30', '0.28'],
              memory: { total: n.mem, used: Math.floor(n.mem / 2), free: Math.floor(n.mem / 2) },
              swap: { total: 8 * GiB, used: 0, free: 8 * GiB },
              rootfs: {
                total: n.disk,
                used: Math.floor(n.disk * 0.3),
                free: Math.floor(n.disk * 0.7),
                avail: Math.floor(n.disk * 0.65),
              },
              ksm: { shared: 0 },
              idle: 0,
              wait: 0.001,
            };
          }
          case 'version':
            nodeUp(node);
            return { ...VERS[opt.pve] };
          case 'network':
            return nodeNet(nodeUp(node));
          case 'storage': {
            const _n = nodeUp(node);
            return st.storages
              .filter((s) => allowed(who, `/storage/${s.storage}`, 'Datastore.Audit'))
              .map((s) => ({
                storage: s.storage,
                type: s.type,
                content: s.content,
                shared: s.shared,
                active: 1,
                enabled: 1,
                total: s.total,
                used: Math.floor(s.total * 0.42),
                avail: Math.floor(s.total * 0.58),
                used_fraction: 0.42,
                node: undefined,
                _n: undefined,
              }))
              .map((e) => JSON.parse(JSON.stringify(e)));
          }
          case 'subscription':
            nodeUp(node);
            return {
              status: 'notfound',
              serverid: sha1(node).slice(0, 32).toUpperCase(),
              message: 'There is no subscription key',
              url: 'https://www.proxmox.com/proxmox-ve/pricing',
            };
          case 'dns':
            need(who, np, ['Sys.Audit']);
            nodeUp(node);
            return { search: 'example.lan', dns1: '10.0.0.1' };
          case 'time':
            need(who, np, ['Sys.Audit']);
            nodeUp(node);
            return { timezone: 'Europe/Berlin', time: sec(), localtime: sec() + 3600 };
          case 'config':
            need(who, '/', ['Sys.Audit']);
            nodeUp(node);
            return { digest: sha1(node), description: `node ${node}\n` };
          case 'disks/list':
            need(who, np, ['Sys.Audit']);
            nodeUp(node);
            return [
              {
                devpath: '/dev/nvme0n1',
                model: 'Samsung SSD 980 PRO 1TB',
                serial: `S5GX${sha1(node).slice(0, 8).toUpperCase()}`,
                size: 1000204886016,
                type: 'nvme',
                used: 'LVM',
                vendor: 'unknown',
                wearout: 97,
                health: 'PASSED',
                gpt: 1,
                rpm: 0,
                wwn: 'eui.0025385a',
                osdid: -1,
              },
            ];
          case 'hardware/pci':
            need(who, '/', ['Sys.Audit', 'Sys.Modify'], true);
            nodeUp(node);
            return [
              {
                id: '0000:00:02.0',
                class: '0x030000',
                vendor: '0x8086',
                vendor_name: 'Intel Corporation',
                device: '0x4690',
                device_name: 'AlderLake-S GT1',
                iommugroup: 0,
              },
            ];
          case 'certificates/info':
            nodeUp(node);
            return [
              {
                filename: 'pve-ssl.pem',
                fingerprint: st.nodes.get(node).fp,
                issuer: '/CN=Proxmox Virtual Environment/OU=x/O=PVE Cluster Manager CA',
                subject: `/OU=PVE Cluster Node/O=Proxmox Virtual Environment/CN=${node}.example.lan`,
                notafter: sec() + 3e7,
                notbefore: sec() - 3e6,
                san: ['127.0.0.1', '::1', node],
                'public-key-type': 'rsaEncryption',
                'public-key-bits': 2048,
              },
            ];
          case 'tasks':
          case 'replication':
          case 'services':
            nodeUp(node);
            return [];
          default:
            if (rest[0] === 'storage' && rest[2] === 'content') {
              need(who, `/storage/${rest[1]}`, ['Datastore.Audit', 'Datastore.AllocateSpace'], true);
              nodeUp(node);
              return [];
            }
            return nimp();
        }
      }
      case 'storage':
        if (p.length === 1)
          return st.storages
            .filter((s) => allowed(who, `/storage/${s.storage}`, 'Datastore.Audit'))
            .map(({ total, ...s }) => ({ ...s, digest: sha1('st') }));
        else {
          need(who, `/storage/${p[1]}`, ['Datastore.Allocate']);
          const s = st.storages.find((x) => x.storage === p[1]);
          if (!s) throw new Err(500, `storage '${p[1]}' does not exist`);
          return s;
        }
      case 'pools': {
        const one = p.length > 1 ? p.slice(1).join('/') : q.get('poolid');
        const members = (id) =>
          [...st.guests.values()].filter((g) => g.pool === id && sees(who, g)).map((g) => guestRes(g, who));
        if (one) {
          need(who, `/pool/${one}`, ['Pool.Audit']);
          if (!st.pools.has(one)) throw new Err(500, `pool '${one}' does not exist`);
          const info = { members: members(one) };
          const c = st.pools.get(one).comment;
          if (c) info.comment = c;
          if (p.length > 1) return info;
          if (opt.pve < 8)
            throw new Err(400, 'Parameter verification failed.', {
              poolid: 'property is not defined in schema and the schema does not allow additional properties',
            });
          return [{ poolid: one, ...info }];
        }
        return [...st.pools.values()]
          .filter((x) => allowed(who, `/pool/${x.poolid}`, 'Pool.Audit'))
          .map((x) => JSON.parse(JSON.stringify(x)));
      }
      case 'access':
        switch (p.slice(1).join('/')) {
          case 'permissions': {
            const r = {};
            const base = ['/', '/access', '/access/groups', '/nodes', '/pool', '/sdn', '/storage', '/vms'];
            const gr = grants(who.profile);
            for (const b of [...base, ...gr.map((g) => g[0])]) {
              const m = {};
              for (const [gp, l] of gr)
                if (gp === '/' || b === gp || b.startsWith(`${gp}/`)) for (const x of l) m[x] = 1;
              if (Object.keys(m).length) r[b] = m;
            }
            if (who.profile?.startsWith('pool:'))
              for (const g of st.guests.values())
                if (g.pool === who.profile.slice(5)) r[`/vms/${g.vmid}`] = { 'VM.Audit': 1 };
            return r;
          }
          case 'users':
            return allowed(who, '/access', 'User.Modify') || allowed(who, '/access', 'Sys.Audit')
              ? [
                  { userid: 'root@pam', enable: 1, expire: 0, 'realm-type': 'pam' },
                  { userid: 'sim@pve', enable: 1, expire: 0, 'realm-type': 'pve' },
                ]
              : [];
          case 'acl':
            return [];
          case 'roles':
            return [{ roleid: 'PVEAuditor', special: 1, privs: (opt.pve >= 9 ? AUDIT9 : AUDIT8).join(',') }];
          case 'domains':
            return [
              { realm: 'pam', type: 'pam', comment: 'Linux PAM standard authentication' },
              { realm: 'pve', type: 'pve', comment: 'Proxmox VE authentication server' },
            ];
          default:
            return nimp();
        }
      default:
        return nimp();
    }
  }

  // ---------- fixtures ----------
  let fx = null;
  if (opt.fixtures) {
    const dir = resolve(opt.fixtures);
    const rx = opt.fixtureFilter ? new RegExp(opt.fixtureFilter) : null;
    const list = JSON.parse(readFileSync(join(dir, 'index.json'), 'utf8')).filter((e) => !rx || rx.test(e.file));
    fx = new Map();
    for (const e of list) {
      const k = e.endpoint + (e.query ? `?${e.query}` : '');
      if (!fx.has(k)) fx.set(k, { l: [], i: 0 });
      fx.get(k).l.push({ ...e, full: join(dir, e.file) });
    }
    if (!A.quiet) console.error(`fixtures: ${list.length} answers for ${fx.size} addresses`);
  }
  function fixture(path, query) {
    const f = fx.get(path + (query ? `?${query}` : '')) ?? fx.get(path);
    if (!f) return null;
    const e = f.l[Math.min(f.i, f.l.length - 1)];
    if (e.sequence && f.i < f.l.length - 1) f.i++;
    return { status: e.status, statusText: e.statusText, body: readFileSync(e.full) };
  }

  // ---------- faults ----------
  const addRule = (r) => {
    st.rules.push({
      rate: 1,
      ...r,
      rx: r.match ? new RegExp(r.match) : null,
      left: r.times === undefined ? Infinity : Number(r.times),
    });
  };
  if (num('error-rate', 0))
    addRule({
      kind: 'status',
      rate: num('error-rate', 0),
      status: num('error-status', 500),
      message: 'simulated error',
    });
  if (num('reset-rate', 0)) addRule({ kind: 'reset', rate: num('reset-rate', 0) });
  if (num('hang-rate', 0)) addRule({ kind: 'hang', rate: num('hang-rate', 0) });
  if (num('truncate-rate', 0)) addRule({ kind: 'truncate', rate: num('truncate-rate', 0) });
  const FR = rng(opt.seed * 7919 + 17);
  function faultFor(url) {
    const hits = [];
    for (const r of st.rules) {
      if (r.left <= 0) continue;
      if (r.rx && !r.rx.test(url)) continue;
      if (FR() >= Number(r.rate)) continue;
      if (r.left !== Infinity) r.left--;
      hits.push(r);
      if (r.kind !== 'latency') break;
    }
    return hits;
  }

  // ---------- statistics ----------
  let S;
  const resetStats = () => {
    S = {
      since: new Date().toISOString(),
      total: 0,
      paths: {},
      methods: {},
      status: {},
      agents: {},
      bytesOut: 0,
      concurrent: 0,
      peak: 0,
      connections: 0,
      aborted: 0,
      first: null,
      last: null,
    };
  };
  resetStats();
  const pattern = (p) =>
    p
      .replace(/^\/api2\/\w+/, '')
      .replace(/\/(qemu|lxc)\/\d+/g, '/$1/{vmid}')
      .replace(/^\/nodes\/[^/]+/, '/nodes/{node}')
      .replace(/^\/pools\/.+/, '/pools/{poolid}')
      .replace(/\/storage\/[^/]+\/content/, '/storage/{storage}/content') || '/';

  // ---------- changes ----------
  const TASKS = {
    start: 'start',
    resume: 'resume',
    pause: 'suspend',
    stop: 'stop',
    delete: 'destroy',
    migrate: 'migrate',
    rename: 'config',
    tag: 'config',
    template: 'template',
    create: 'create',
    restore: 'restore',
  };
  function noteTask(type, vmid, node, user) {
    const at16 = sec().toString(16).toUpperCase().padStart(8, '0');
    const task = {
      upid: `UPID:${node}:0000ABCD:${String(st.tasks.length).padStart(8, '0')}:${at16}:${type}:${vmid}:${user}:`,
      node,
      pid: 43981,
      pstart: st.tasks.length,
      starttime: sec(),
      endtime: sec(),
      type,
      id: String(vmid),
      user,
      status: 'OK',
    };
    st.tasks.push(task);
  }
  /** What the cluster remembers of a change, of which `user` may be said. */
  function note(o, g) {
    if (!TASKS[o.op] || (!g && o.op !== 'create')) return;
    const type = o.op === 'create' ? (o.type ?? 'qemu') : g.type;
    const vmid = g && o.op !== 'restore' ? g.vmid : (o.to ?? o.vmid);
    if (vmid === undefined) return;
    noteTask(
      `${type === 'lxc' ? 'vz' : 'qm'}${TASKS[o.op]}`,
      vmid,
      g?.node ?? o.node ?? nodeNames()[0],
      o.user ?? 'root@pam',
    );
  }
  function op(o) {
    const g = o.vmid !== undefined ? st.guests.get(Number(o.vmid)) : undefined;
    const must = () => {
      if (!g) throw new Err(404, 'no such guest');
      return g;
    };
    bump();
    note(o, g);
    switch (o.op) {
      case 'rename':
        must().name = o.name === '' ? undefined : o.name;
        return g;
      case 'tag':
        must().tags = String(o.tags ?? '')
          .split(/[;, ]+/)
          .filter(Boolean);
        return g;
      case 'migrate':
        must();
        if (!st.nodes.has(o.to)) throw new Err(404, 'no such node');
        g.node = o.to;
        return g;
      case 'start':
        must().running = true;
        g.bootAt = sec();
        return g;
      case 'stop':
        must().running = false;
        return g;
      case 'pause':
        must().paused = true;
        return g;
      case 'resume':
        must().paused = false;
        return g;
      case 'lock':
        must().lock = o.lock ?? 'migrate';
        return g;
      case 'unlock':
        must().lock = undefined;
        return g;
      case 'delete':
        must();
        st.guests.delete(g.vmid);
        return { deleted: g.vmid };
      case 'create':
        return makeGuest({
          type: o.type,
          node: o.node,
          name: o.name,
          vmid: o.vmid === undefined ? undefined : Number(o.vmid),
          template: 0,
          running: o.off === undefined,
        });
      case 'reuse': {
        must();
        const id = g.vmid;
        st.guests.delete(id);
        return makeGuest({
          vmid: id,
          type: o.type ?? g.type,
          node: o.node ?? g.node,
          name: o.name,
          template: 0,
          running: true,
        });
      }
      case 'restore': {
        must();
        const copy = structuredClone(g);
        if (o.to === undefined) {
          Object.assign(g, { bootAt: sec(), running: o.off === undefined, desc: 'restored\n' });
          return g;
        }
        Object.assign(copy, {
          vmid: Number(o.to),
          name: o.name ?? g.name,
          node: o.node ?? g.node,
          running: o.off === undefined,
          bootAt: sec(),
        });
        st.guests.set(copy.vmid, copy);
        return copy;
      }
      case 'rebuild':
        must();
        Object.assign(g, { uuid: uuid(), vmgenid: uuid(), created: sec(), bootAt: sec() });
        for (const n of g.nics) n.mac = mac();
        return g;
      case 'pool':
        must().pool = o.pool === '' || o.pool === undefined ? undefined : o.pool;
        return g;
      case 'down':
        must().nics[Number(o.nic ?? 0)].down = !!o.down;
        return g;
      case 'set':
        must();
        Object.assign(g, o.values);
        return g;
      case 'node-add':
        addNode(Number(o.node.replace(/\D/g, '')));
        return { added: o.node };
      case 'node-rename': {
        const n = st.nodes.get(o.node);
        st.nodes.delete(o.node);
        st.nodes.set(o.to, { ...n, name: o.to });
        for (const x of st.guests.values()) if (x.node === o.node) x.node = o.to;
        return { renamed: o.to };
      }
      case 'storage-remove':
        st.storages = st.storages.filter((x) => x.storage !== o.storage);
        return { removed: o.storage };
      case 'quorate':
        st.quorate = o.to === undefined ? undefined : Number(o.to);
        return { quorate: st.quorate };
      case 'template':
        must().template = 1;
        g.running = false;
        return g;
      case 'ip':
        must().nics[Number(o.nic ?? 0)].ip = o.ip;
        return g;
      case 'agent':
        must().agentState = o.state;
        return g;
      case 'fresh':
        must().fresh = !o.off;
        return g;
      case 'node-offline':
        st.nodes.get(o.node).online = false;
        st.nodes.get(o.node).offlineAt = nowMs();
        return { node: o.node, online: false };
      case 'node-online':
        st.nodes.get(o.node).online = true;
        return { node: o.node, online: true };
      case 'node-remove':
        st.nodes.delete(o.node);
        for (const x of st.guests.values()) if (x.node === o.node) st.guests.delete(x.vmid);
        return { removed: o.node };
      case 'profile':
        st.profile.set(o.token ?? [...st.profile.keys()][0], {
          ...st.profile.get(o.token ?? [...st.profile.keys()][0]),
          profile: o.to,
        });
        return { profile: o.to };
      case 'vnet':
        st.vnets.push({ vnet: o.vnet, zone: o.zone ?? 'zone', tag: Number(o.tag ?? 100), type: 'vnet' });
        return { vnet: o.vnet };
      case 'pve':
        opt.pve = Number(o.to);
        return { pve: opt.pve };
      default:
        throw new Err(400, `unknown op ${o.op}`);
    }
  }
  function churn(o) {
    const r = rng(Number(o.seed ?? st.version * 31 + 7));
    const done = { renamed: [], migrated: [], deleted: [], created: [], restarted: [] };
    const some = (n) => {
      const l = [...st.guests.values()],
        out = [];
      for (let i = 0; i < Number(n || 0) && l.length; i++) out.push(l.splice(Math.floor(r() * l.length), 1)[0]);
      return out;
    };
    for (const g of some(o.renames)) {
      const was = g.name;
      g.name = `renamed-${g.vmid}-${hex(3, r)}`;
      done.renamed.push([g.vmid, was, g.name]);
    }
    for (const g of some(o.migrations)) {
      const to = nodeNames().filter((n) => n !== g.node && online(n));
      if (!to.length) continue;
      const was = g.node;
      g.node = pick(to, r);
      done.migrated.push([g.vmid, was, g.node]);
    }
    for (const g of some(o.restarts)) {
      g.running = !g.running;
      g.bootAt = sec();
      done.restarted.push([g.vmid, g.running]);
    }
    for (const g of some(o.deletes)) {
      st.guests.delete(g.vmid);
      done.deleted.push(g.vmid);
    }
    for (let i = 0; i < Number(o.creates || 0); i++) done.created.push(makeGuest({ r }).vmid);
    bump();
    return done;
  }
  const truth = () => ({
    pve: opt.pve,
    cluster: opt.nodes > 1 ? opt.cluster : null,
    nodes: [...st.nodes.values()].map((n) => ({ node: n.name, online: n.online, ip: n.ip })),
    guests: [...st.guests.values()].map((g) => ({
      vmid: g.vmid,
      type: g.type,
      node: g.node,
      name: shownName(g),
      named: g.name !== undefined,
      template: !!g.template,
      running: g.running,
      paused: !!g.paused,
      uuid: g.type === 'qemu' ? g.uuid : undefined,
      tags: g.tags,
      pool: g.pool ?? null,
      agent: g.agentState,
      macs: g.nics.map((n) => n.mac),
      addresses: g.nics.filter((n) => !n.down).flatMap((n) => [n.ip, n.v6].filter(Boolean)),
      cores: g.cores * g.sockets,
      memoryBytes: g.memMiB * MiB,
      bootDiskBytes: g.diskGiB * GiB,
      snapshots: g.snaps,
    })),
  });

  // ---------- HTTP ----------
  function auth(req) {
    const h = req.headers.authorization ?? '';
    const ck = /PVEAuthCookie=([^;]+)/.exec(req.headers.cookie ?? '');
    if (ck) {
      const t = st.tickets.get(decodeURIComponent(ck[1]));
      if (!t) throw new Err(401, opt.pve >= 9 ? 'Authentication failed!' : 'permission denied - invalid PVE ticket');
      return t;
    }
    const m = /^PVEAPIToken[ =](.+?)=([^=]+)$/.exec(h);
    if (!m) throw new Err(401, 'No ticket');
    const t = st.profile.get(m[1]);
    if (!t)
      throw new Err(
        401,
        opt.pve >= 9
          ? 'Authentication failed!'
          : `no such token '${m[1].split('!')[1]}' for user '${m[1].split('!')[0]}'`,
      );
    if (t.secret !== m[2]) throw new Err(401, opt.pve >= 9 ? 'Authentication failed!' : 'invalid token value!');
    return t;
  }
  for (const s of A.token.length ? A.token : ['sim@pve!test=00000000-0000-4000-8000-000000000001#auditor']) {
    const [cred, prof] = s.split('#');
    const i = cred.indexOf('=');
    st.profile.set(cred.slice(0, i), { id: cred.slice(0, i), secret: cred.slice(i + 1), profile: prof ?? 'auditor' });
  }

  const readBody = (req) =>
    new Promise((res, rej) => {
      let b = '';
      req.on('data', (c) => {
        b += c;
        if (b.length > 1e6) req.destroy();
      });
      req.on('end', () => res(b));
      req.on('error', rej);
    });
  function send(req, res, status, statusText, body, { ctype = 'application/json;charset=UTF-8', fault } = {}) {
    if (res.destroyed) return;
    let buf =
      body === null
        ? null
        : Buffer.isBuffer(body)
          ? body
          : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const h = {
      'Cache-Control': 'max-age=0',
      Pragma: 'no-cache',
      Server: 'pve-api-daemon/3.0',
      Expires: new Date().toUTCString(),
    };
    if (buf && ctype) h['Content-Type'] = ctype;
    if (status >= 400) h.Connection = 'close';
    if (buf && opt.gzip && buf.length > 1024 && /gzip/.test(req.headers['accept-encoding'] ?? '') && !fault) {
      buf = gzipSync(buf, { level: 1 });
      h['Content-Encoding'] = 'gzip';
    }
    if (buf) h['Content-Length'] = buf.length;
    else if (status >= 400) h['Content-Length'] = 0;
    S.status[status] = (S.status[status] ?? 0) + 1;
    S.bytesOut += buf?.length ?? 0;
    res.writeHead(
      status,
      (statusText || http.STATUS_CODES[status] || '').split('\n')[0].replace(/[^\x20-\x7e]/g, '?'),
      h,
    );
    if (fault?.kind === 'truncate' && buf) {
      res.write(buf.subarray(0, Math.floor(buf.length / 2)));
      setTimeout(() => res.socket?.destroy(), 20);
      return;
    }
    if (fault?.kind === 'drip' && buf) {
      let i = 0;
      const t = setInterval(
        () => {
          if (res.destroyed || i >= buf.length) {
            clearInterval(t);
            res.end();
            return;
          }
          res.write(buf.subarray(i, i + 16));
          i += 16;
        },
        Number(fault.ms ?? 200),
      );
      return;
    }
    res.end(buf ?? undefined);
  }
  function fail(req, res, e, { raw } = {}) {
    if (raw || e.status === 595 || e.status === 596) return send(req, res, e.status, e.message, null);
    const body = { data: null };
    if (e.errors) body.errors = e.errors;
    if (opt.pve >= 8) body.message = e.message + (e.message.endsWith('\n') ? '' : '\n');
    return send(req, res, e.status, e.message, body);
  }
  const set = (o) => {
    for (const k of [
      'latency',
      'jitter',
      'agentLatency',
      'deadAgentDelay',
      'offlineDelay',
      'offlineGrace',
      'authDelay',
    ])
      if (o[k] !== undefined) opt[k] = Number(o[k]);
    return opt;
  };
  async function control(req, res, u) {
    const o = Object.fromEntries(u.searchParams);
    const b = req.method === 'POST' ? await readBody(req) : '';
    if (b.trim()) Object.assign(o, JSON.parse(b));
    let r;
    switch (u.pathname.slice(6)) {
      case '/stats':
        r = S;
        break;
      case '/reset':
        resetStats();
        r = { ok: true };
        break;
      case '/state':
        r = {
          pve: opt.pve,
          version: st.version,
          nodes: [...st.nodes.values()],
          guestCount: st.guests.size,
          rules: st.rules.map(({ rx, ...x }) => x),
          ...(o.full ? { guests: [...st.guests.values()] } : {}),
        };
        break;
      case '/faults':
        st.rules = [];
        for (const x of o.rules ?? []) addRule(x);
        r = { rules: st.rules.length };
        break;
      case '/fault':
        if (o.clear) st.rules = [];
        else addRule(o);
        r = { rules: st.rules.length };
        break;
      case '/do':
        r = op(o);
        break;
      case '/churn':
        r = churn(o);
        break;
      case '/truth':
        r = truth();
        break;
      case '/set':
        r = set(o);
        break;
      case '/pass':
        at = nowMs() + Number(o.seconds) * 1000;
        r = { now: new Date(at).toISOString() };
        break;
      case '/quit':
        res.end('{"ok":true}\n');
        setTimeout(() => process.exit(0), 50);
        return;
      default:
        res.writeHead(404);
        res.end('unknown control address, see --help\n');
        return;
    }
    res.writeHead(200, { 'Content-Type': 'application/json' });
    res.end(`${JSON.stringify(r, null, 1)}\n`);
  }
  async function handle(req, res) {
    const u = new URL(req.url, 'http://x');
    if (u.pathname.startsWith('/__sim/')) {
      try {
        await control(req, res, u);
      } catch (e) {
        res.writeHead(e.status ?? 500);
        res.end(`${JSON.stringify({ error: e.message })}\n`);
      }
      return;
    }
    const key = `${req.method} ${pattern(u.pathname)}${u.searchParams.get('type') ? `?type=${u.searchParams.get('type')}` : ''}`;
    S.total++;
    S.paths[key] = (S.paths[key] ?? 0) + 1;
    S.concurrent++;
    S.peak = Math.max(S.peak, S.concurrent);
    const ua = (req.headers['user-agent'] ?? '-').slice(0, 60);
    S.agents[ua] = (S.agents[ua] ?? 0) + 1;
    const now = Date.now();
    S.first ??= now;
    S.last = now;
    let over = false;
    const done = () => {
      if (!over) {
        over = true;
        S.concurrent--;
        S.last = Date.now();
      }
    };
    const end = res.end;
    res.end = (...x) => {
      done();
      return end.apply(res, x);
    };
    res.on('finish', done);
    res.on('close', () => {
      if (!res.writableFinished) S.aborted++;
      done();
    }); // counted until the answer is handed over
    try {
      let fault;
      let slow = opt.latency + (opt.jitter ? FR() * opt.jitter : 0);
      for (const f of faultFor(req.url)) {
        if (f.kind === 'latency') slow += Number(f.ms ?? 1000);
        else fault = f;
      }
      if (slow) await wait(slow);
      if (fault) {
        if (fault.kind === 'reset') {
          try {
            (req.socket._parent ?? req.socket).resetAndDestroy();
          } catch {
            req.socket.destroy();
          }
          return;
        }
        if (fault.kind === 'hang') return; // never answers
        if (fault.kind === 'status') {
          const s = Number(fault.status ?? 500);
          return s === 595 || s === 596 || s === 401
            ? send(req, res, s, fault.message ?? '', null)
            : s === 429 || s === 503
              ? send(req, res, s, '', `<html>${s}</html>`, { ctype: 'text/html' })
              : fail(req, res, new Err(s, fault.message ?? 'simulated error'));
        }
        if (fault.kind === 'html')
          return send(req, res, Number(fault.status ?? 200), '', '<html><body>login</body></html>', {
            ctype: 'text/html; charset=utf-8',
          });
        if (fault.kind === 'badjson') return send(req, res, 200, '', '{"data":[{"vmid":1', {});
        if (fault.kind === 'empty') return send(req, res, 200, '', { data: [] });
        if (fault.kind === 'nulldata') return send(req, res, 200, '', { data: null });
      }
      if (!u.pathname.startsWith('/api2/'))
        return send(
          req,
          res,
          200,
          '',
          '<!DOCTYPE html><html><title>Proxmox Virtual Environment (simulated)</title></html>',
          { ctype: 'text/html; charset=utf-8' },
        );
      const m = /^\/api2\/(json|extjs)(\/.*)?$/.exec(u.pathname.replace(/\/+/g, '/'));
      if (!m) return fail(req, res, new Err(501, 'no such uri'), { raw: true });
      const path = (m[2] ?? '/').replace(/\/$/, '') || '/';
      if (path === '/access/ticket' && req.method === 'POST') {
        const b = new URLSearchParams(await readBody(req));
        if (b.get('username') === 'sim@pve' && b.get('password') === 'sim') {
          const t = `PVE:sim@pve:${Date.now().toString(16).toUpperCase()}::${randomUUID()}`;
          st.tickets.set(t, [...st.profile.values()][0]);
          return send(req, res, 200, '', {
            data: {
              username: 'sim@pve',
              ticket: t,
              CSRFPreventionToken: '1:sim',
              cap: { vms: { 'VM.Audit': 1 }, nodes: {}, storage: {}, dc: {}, access: {}, sdn: {}, mapping: {} },
              clustername: opt.cluster,
            },
          });
        }
        if (opt.authDelay) await wait(opt.authDelay);
        return fail(req, res, new Err(401, 'authentication failure'));
      }
      if (path === '/access/domains' && req.method === 'GET')
        return send(req, res, 200, '', { data: await api(path, u.searchParams, { profile: 'full' }, 'GET') });
      let who;
      try {
        who = auth(req);
      } catch (e) {
        if (opt.authDelay) await wait(opt.authDelay);
        return fail(req, res, e, { raw: true });
      }
      if (fx) {
        const f = fixture(path, u.search.slice(1));
        if (f) return send(req, res, f.status, f.statusText, f.body);
        return fail(req, res, new Err(501, `Method '${req.method} ${path}' not implemented`));
      }
      let data;
      try {
        data = await api(path, u.searchParams, who, req.method);
      } catch (e) {
        if (e.status === 595 && opt.offlineDelay) await wait(opt.offlineDelay);
        if (e instanceof Err) return fail(req, res, e, { raw: false });
        throw e;
      }
      return send(req, res, 200, '', { data }, { fault });
    } catch (e) {
      console.error(e);
      try {
        fail(req, res, new Err(500, String(e.message)));
      } catch {
        res.destroy();
      }
    }
  }
  let server, fp;
  if (opt.tls) {
    const dir = A['tls-dir'] ? resolve(A['tls-dir']) : mkdtempSync(join(tmpdir(), 'pve-sim-'));
    mkdirSync(dir, { recursive: true });
    const key = join(dir, 'pve-sim.key'),
      crt = join(dir, 'pve-sim.pem');
    if (!existsSync(crt))
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '30',
          '-keyout',
          key,
          '-out',
          crt,
          '-subj',
          '/O=PVE Cluster Manager CA/CN=pve1.example.lan',
          '-addext',
          'subjectAltName=DNS:pve1.example.lan,DNS:pve1,DNS:localhost,IP:127.0.0.1,IP:::1',
        ],
        { stdio: 'ignore' },
      );
    const cert = readFileSync(crt);
    fp = new X509Certificate(cert).fingerprint256;
    const n1 = [...st.nodes.values()][0];
    if (n1) n1.fp = fp;
    server = https.createServer({ key: readFileSync(key), cert }, (req, res) => void handle(req, res));
    st.tlsDir = dir;
  } else server = http.createServer((req, res) => void handle(req, res));
  server.keepAliveTimeout = 5000;
  server.maxRequestsPerSocket = 100; // pveproxy: 100 requests a connection, 5 s idle
  server.on('connection', () => {
    S.connections++;
  });
  if (opt.maxConn) server.maxConnections = opt.maxConn;
  await new Promise((done) => {
    server.listen(opt.port, opt.host, done);
  });
  const a = server.address();
  const url = `${opt.tls ? 'https' : 'http'}://${opt.host.includes(':') ? `[${opt.host}]` : opt.host}:${a.port}`;
  return {
    url,
    fingerprint: fp,
    certificate: opt.tls ? join(st.tlsDir, 'pve-sim.pem') : undefined,
    ready: {
      ready: true,
      url,
      pid: process.pid,
      pve: opt.pve,
      nodes: st.nodes.size,
      guests: st.guests.size,
      ...(fp ? { fingerprint256: fp, tlsDir: st.tlsDir } : {}),
      tokens: [...st.profile.values()].map((t) => `${t.id}=${t.secret}#${t.profile}`),
    },
    do: (name, params = {}) => op({ op: name, ...params }),
    churn,
    fault: addRule,
    clearFaults: () => {
      st.rules = [];
    },
    set,
    stats: () => S,
    resetStats,
    truth,
    pass: (seconds) => {
      at = nowMs() + seconds * 1000;
    },
    close: () =>
      new Promise((done) => {
        server.close(done);
        server.closeAllConnections();
      }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(JSON.stringify((await startSim(process.argv.slice(2))).ready));
  } catch (error) {
    if (!(error instanceof Usage)) throw error;
    (error.code === 0 ? console.log : console.error)(error.message);
    process.exit(error.code);
  }
  for (const s of ['SIGINT', 'SIGTERM']) process.on(s, () => process.exit(0));
}
