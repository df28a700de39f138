/** What an issue says: its title, its body with the marker by which it is found again, and its comments. Pure. */

import { type Credential, criticalDaysOver } from '../credential.ts';
import type { Policy } from '../policy.ts';
import type { Rotation } from '../store.ts';
import { codeSpan, inOneLine, link } from './markdown.ts';

/** An item that uses it, or that depends on one that does. */
export interface System {
  ci_name: string;
  ci_type: string;
  site_id: string | null;
  /** As what it uses it; or by what it depends on the one that does, such as `depends_on web-1`. */
  by: string | null;
}

export interface Systems {
  direct: readonly System[];
  dependent: readonly System[];
  /** More is affected than is told. */
  isCut: boolean;
}

/** All that an issue tells. */
export interface Told {
  credential: Credential;
  policy: Policy;
  /** `2026-03-02`, or undefined for a compromised one without a date. */
  due: string | undefined;
  daysLeft: number | null;
  cycle: string;
  systems: Systems;
}

const mostListed = 50;
const markerForm = /^<!-- rollcall:credential=([0-9a-f-]{36}) cycle=([\w-]{1,40}) -->\s*$/gm;

export function titleOf({ credential_name }: Pick<Credential, 'credential_name'>): string {
  return inOneLine(`Rotate credential: ${credential_name}`, 256);
}

/** Names no text of people, so that none can forge it. */
export function markerOf(credentialId: string, cycle: string): string {
  return `<!-- rollcall:credential=${credentialId} cycle=${cycle} -->`;
}

/** The last one that stands in a line of its own, where no value of ours can stand. */
export function readMarker(body: string): { credentialId: string; cycle: string } | undefined {
  const found = [...body.matchAll(markerForm)].at(-1);
  return found && { credentialId: found[1] as string, cycle: found[2] as string };
}

/** Whether anything in it may have been meant for a marker, whoever wrote it. */
export function isMarked(body: string): boolean {
  return /<!--\s*rollcall:credential=/.test(body);
}

export function bodyOf(told: Told): string {
  const { credential, policy, due, cycle } = told;
  const owner = credential.owner_email ?? policy.owner;
  const facts = [
    ['Credential', codeSpan(credential.credential_name)],
    ['Type', codeSpan(credential.credential_type)],
    ['Current Rotation Due', due === undefined ? '-' : due],
    ['Owner', owner === null ? '-' : codeSpan(owner)],
    ['VaultWarden Item', credential.vaultwarden_item_id === null ? '-' : codeSpan(credential.vaultwarden_item_id)],
    ...(credential.runbook_url === null ? [] : [['Runbook', link(credential.runbook_url)]]),
    ...(credential.notes === null ? [] : [['Notes', codeSpan(credential.notes)]]),
  ];
  return [
    '## Credential Rotation Required',
    '',
    ...facts.map(([name, value]) => `**${name}:** ${value}  `),
    '',
    '### Associated Systems',
    '',
    ...systemLines(told.systems),
    '',
    '### Rotation Procedure',
    '',
    ...policy.procedure.map((step) => `- [ ] ${inOneLine(step)}`),
    '',
    `It is marked rotated by \`rollcall credentials rotated ${credential.credential_id}\`, or by a new password in its vault item.`,
    '',
    '### Urgency',
    '',
    urgencyWords(told),
    '',
    markerOf(credential.credential_id, cycle),
    '',
  ].join('\n');
}

function systemLines({ direct, dependent, isCut }: Systems): string[] {
  if (direct.length === 0) return ['None is known to use it.'];
  const line = ({ ci_name, ci_type, site_id, by }: System) =>
    `- ${codeSpan(ci_name, 120)} (${[inOneLine(ci_type), ...(site_id === null ? [] : [codeSpan(site_id, 120)])].join(', ')})${by === null ? '' : `: ${codeSpan(by, 120)}`}`;
  const listed = (systems: readonly System[]) => [
    ...systems.slice(0, mostListed).map(line),
    ...(systems.length > mostListed ? [`- and ${systems.length - mostListed} more`] : []),
  ];
  return [
    'These use it:',
    '',
    ...listed(direct),
    ...(dependent.length === 0 ? [] : ['', 'And these depend on them:', '', ...listed(dependent)]),
    ...(isCut ? ['', 'More depends on them than is shown.'] : []),
  ];
}

function urgencyWords({ credential, due, daysLeft }: Told): string {
  if (credential.lifecycle_state === 'compromised')
    return '**Critical**: it is compromised. Rotate it now, whatever its dates say.';
  if (daysLeft === null || due === undefined) return 'It has no date.';
  const days = (count: number) => `${count} day${count === 1 ? '' : 's'}`;
  if (daysLeft > 0) return `**Medium**: it is due in ${days(daysLeft)}, on ${due}.`;
  if (daysLeft === 0) return `**High**: it is due today, ${due}.`;
  const over = `it has been overdue for ${days(-daysLeft)}, since ${due}.`;
  return daysLeft > -criticalDaysOver ? `**High**: ${over}` : `**Critical**: ${over}`;
}

/** What is said once at each level after the one at which it was opened. */
export function escalation(told: Told): string {
  return `${urgencyWords(told)}\n\nIt ends with \`rollcall credentials rotated ${told.credential.credential_id}\`.`;
}

/** `here` is the issue that this is said in. */
export function rotatedWords(rotation: Rotation, nextDue: string | undefined, here: string): string {
  const how: Readonly<Record<string, string>> = {
    word: `It was said to be rotated by ${codeSpan(rotation.recorded_by)}.`,
    password_revision: 'The password in its vault item was changed.',
    password_history: 'A secret in its vault item was replaced.',
    token_expiry: 'The token that is used now ends later.',
  };
  return [
    `Rotated at ${rotation.rotated_at}. ${how[rotation.evidence] ?? ''}`.trim(),
    ...(rotation.note === null ? [] : [`Note: ${codeSpan(rotation.note)}`]),
    ...(rotation.change_ref === null || rotation.change_ref === here
      ? []
      : [`Done for ${codeSpan(rotation.change_ref)}.`]),
    nextDue === undefined ? 'When it is due next is not known.' : `It is due next on ${nextDue}.`,
  ].join('\n\n');
}

export function putOffWords(
  what: string,
  { reason, by, until }: { reason: string; by: string; until: string },
): string {
  return `${what} until ${until} by ${codeSpan(by)}: ${codeSpan(reason)}`;
}

export const reopenedWords =
  'This was closed, and nothing shows that the credential was rotated: it is opened again, this once. ' +
  'Mark it rotated in Rollcall, or snooze or waive it there; closed again, it is left so.';
