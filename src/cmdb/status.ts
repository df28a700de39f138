/** One status word on the wire, and the parts that it is computed from and written to. */

import { type Document, type Lifecycle, lifecycles, type Power } from './item.ts';

export const statusWords = [
  'retired',
  'maintenance',
  'missing',
  'running',
  'stopped',
  'paused',
  'active',
  'planned',
] as const;

/** Proxmox's words for the state of a guest, as QEMU reports them, besides our own. */
const powerOf: Readonly<Record<string, Power>> = {
  running: 'running',
  stopped: 'stopped',
  paused: 'paused',
  suspended: 'paused',
  prelaunch: 'running',
  inmigrate: 'running',
  postmigrate: 'running',
  'io-error': 'running',
  shutdown: 'running',
};

/** Words that say nothing: what was known before stands. */
const silentWords = new Set(['unknown', 'missing']);

export const isSilent = (word: string): boolean => silentWords.has(word);

export const acceptedStatusWords = [
  ...new Set([...lifecycles, ...Object.keys(powerOf), 'maintenance', ...silentWords]),
];

export type StatusPart = { lifecycle: Lifecycle } | { power: Power } | { maintenance: true } | Record<string, never>;

/** The part that a status word belongs to; undefined for a word that is none. */
export function partOf(word: string): StatusPart | undefined {
  if ((lifecycles as readonly string[]).includes(word)) return { lifecycle: word as Lifecycle };
  if (powerOf[word]) return { power: powerOf[word] };
  if (word === 'maintenance') return { maintenance: true };
  return silentWords.has(word) ? {} : undefined;
}

/** The first that applies: retired, held, missing, power, lifecycle. */
export function statusOf(parts: Pick<Document, 'lifecycle' | 'power' | 'hold' | 'absence'>): string {
  if (parts.lifecycle === 'retired' || parts.absence === 'retired') return 'retired';
  if (parts.hold) return 'maintenance';
  if (parts.absence === 'missing') return 'missing';
  return parts.power ?? parts.lifecycle;
}

/** A host that stopped leaves the inventory once that is said again so long after it was said first. */
export const stopsAfterMilliseconds = 30 * 60_000;
