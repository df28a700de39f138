/**
 * The service as systemd runs it: under a user of its own, who may write its data and nothing else. Pure.
 * https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html
 */

export interface UnitParts {
  /** The folder of the program. */
  program: string;
  /** The Node that runs it. */
  node: string;
  user: string;
  data: string;
  config: string;
  /** As package.json starts it: the variables and the words for Node before the program. */
  start: string;
}

/** Where `ProtectHome` and `PrivateTmp` hide files from the service. */
const hidden = ['/home', '/root', '/run/user', '/tmp', '/var/tmp'];

/** Why the service could not run from there; undefined where it can. */
export function faultOfPath(path: string): string | undefined {
  const at = hidden.find((folder) => path === folder || path.startsWith(`${folder}/`));
  if (at !== undefined) return `the service is kept out of ${at}: move it, to /opt/rollcall for one`;
  if (!/^\/[\w./@+-]*$/.test(path)) return 'name it without blanks and signs';
  return undefined;
}

export function unitOf({ program, node, user, data, config, start }: UnitParts): string {
  const words = start.split(' ');
  const variables = words.filter((word) => /^[A-Z_]+=/.test(word));
  const flags = words.filter((word) => word.startsWith('--'));
  return `# Written by "rollcall service install". Changes of your own go into "systemctl edit rollcall".
[Unit]
Description=Rollcall, the inventory that Ansible reads and reports back to
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User=${user}
Group=${user}
ExecStart=${[node, ...flags, `${program}/src/rollcall.mjs`, 'serve'].join(' ')}
WorkingDirectory=${data}
${[...variables, `ROLLCALL_DATA=${data}`].map((variable) => `Environment=${variable}`).join('\n')}
# The settings, where there are any: without them all are as they are by themselves.
Environment=ROLLCALL_CONFIG=${config}
Restart=on-failure
RestartSec=5
# Longer than it gives those whom it still answers.
TimeoutStopSec=20
UMask=0077

ReadWritePaths=${data}
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
PrivateMounts=yes
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}

/** https://www.freedesktop.org/software/systemd/man/latest/sysusers.d.html */
export function sysusersOf(user: string, data: string): string {
  return `u ${user} - "Rollcall" ${data} -\n`;
}

/** https://www.freedesktop.org/software/systemd/man/latest/tmpfiles.d.html: folders that are there with each boot. */
export function tmpfilesOf(user: string, data: string, configFolder: string): string {
  return `d ${data} 0700 ${user} ${user} -\nd ${configFolder} 0750 root ${user} -\n`;
}
