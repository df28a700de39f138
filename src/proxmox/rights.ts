/**
 * What a token may see, from `/access/permissions`, and how the rest is granted. A token without rights gets lists
 * without rows, and no error. Pure.
 */

import { object } from './answer.ts';

/** By path, the rights there; true where they hold for all below it. */
export type Rights = ReadonlyMap<string, ReadonlyMap<string, boolean>>;

export function readRights(data: unknown): Rights {
  return new Map(
    Object.entries(object(data)).map(([path, rights]) => [
      path,
      new Map(Object.entries(object(rights)).map(([right, passedOn]) => [right, passedOn === 1 || passedOn === true])),
    ]),
  );
}

/** Whether the right holds for everything below the path. */
export function holdsBelow(rights: Rights, path: string, right: string): boolean {
  return ['/', path].some((at) => rights.get(at)?.get(right) === true);
}

/** Whether it holds the right anywhere. */
export function mayEver(rights: Rights, right: string): boolean {
  return [...rights.values()].some((held) => held.has(right));
}

/** Of `8.4.1`; the newest where it is not known. */
export function majorOf(version: string | null): number {
  return Number.parseInt(version ?? '9', 10);
}

/** What guest agents are asked with: `VM.Monitor` is gone from 9.0 on. */
export function agentRight(majorVersion: number): string {
  return majorVersion >= 9 ? 'VM.GuestAgent.Audit' : 'VM.Monitor';
}

/** Whether it may see any guest at all. */
export function seesGuests(rights: Rights): boolean {
  return [...rights].some(([path, held]) => held.has('VM.Audit') && /^\/($|vms|pool)/.test(path));
}

export interface Wanted {
  right: string;
  path: string;
  /** What is not known without it. */
  what: string;
  isNeeded: boolean;
}

/** The rights that discovery wants of this release; what `PVEAuditor` holds, and up to 8 one more for the agent. */
export function wantedRights(majorVersion: number): readonly Wanted[] {
  return [
    { right: 'VM.Audit', path: '/vms', what: 'the guests', isNeeded: true },
    { right: 'Sys.Audit', path: '/nodes', what: 'the figures and networks of nodes', isNeeded: false },
    { right: 'Datastore.Audit', path: '/storage', what: 'the storages', isNeeded: false },
    { right: 'Pool.Audit', path: '/pool', what: 'which pool a guest is in', isNeeded: false },
    ...(majorVersion >= 8 ? [{ right: 'SDN.Audit', path: '/sdn', what: 'the virtual networks', isNeeded: false }] : []),
    {
      right: agentRight(majorVersion),
      path: '/vms',
      what: 'addresses and systems, from the guest agents',
      isNeeded: false,
    },
  ];
}

export function missingRights(rights: Rights, majorVersion: number): Wanted[] {
  const wanted = wantedRights(majorVersion).filter(({ right, path }) => !holdsBelow(rights, path, right));
  // Jobs and the state of the cluster are asked for at the root itself.
  if (rights.get('/')?.has('Sys.Audit')) return wanted;
  return [
    ...wanted.filter(({ right }) => right !== 'Sys.Audit'),
    { right: 'Sys.Audit', path: '/', what: 'whether the cluster has its quorum, and its backup jobs', isNeeded: false },
  ];
}

const tokenForm = /^([^@!\s]+@[^@!\s]+)![^=\s]+$/;

/** The commands that give a token, and its user, what is missing; to be run on a node as root. */
export function grantingCommands(tokenId: string, missing: readonly Wanted[], majorVersion: number): string[] {
  const [, user = 'USER@REALM'] = tokenForm.exec(tokenId) ?? [];
  const give = (path: string, roles: string) => [
    `pveum acl modify ${path} --users ${user} --roles ${roles}`,
    `pveum acl modify ${path} --tokens '${tokenId}' --roles ${roles}`,
  ];
  const isAgents = ({ right }: Wanted) => right === 'VM.Monitor';
  const commands = missing.some((one) => !isAgents(one)) ? give('/', 'PVEAuditor') : [];
  if (majorVersion < 9 && missing.some(isAgents)) {
    commands.push('pveum role add RollcallAgent --privs VM.Monitor');
    // An entry on /vms replaces what comes down from the root, so it holds both.
    commands.push(...give('/vms', 'PVEAuditor,RollcallAgent'));
  }
  return commands;
}
