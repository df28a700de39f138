/** One item as Bitwarden's CLI shows it: what may be known of it, and, asked for by name, what it holds. Pure. */

import { VaultError, type VaultItem } from './vault.ts';

/** As the CLI prints it, every secret among it: for no log, and no longer than until it was read. */
export type RawItem = Readonly<Record<string, unknown>>;

const isId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function looksLikeId(text: string): boolean {
  return isId.test(text);
}

export function rawItemsIn(data: unknown, called: string): RawItem[] {
  if (!Array.isArray(data)) throw malformed(called);
  return data.map((entry) => rawItemIn(entry, called));
}

/** Throws VaultError where it is no item. */
export function rawItemIn(data: unknown, called: string): RawItem {
  const item = section(data);
  if (typeof item.id !== 'string' || typeof item.name !== 'string') throw malformed(called);
  return item;
}

/** Drops all that is secret: of its fields the names are left, and of its former passwords the dates. */
export function vaultItemOf(raw: RawItem, folders: ReadonlyMap<string, string>): VaultItem {
  return {
    id: raw.id as string,
    name: raw.name as string,
    type: typeof raw.type === 'number' ? raw.type : 0,
    folder: folders.get(String(raw.folderId)) ?? null,
    password_revised_at: moment(section(raw.login).passwordRevisionDate),
    history_dates: list(raw.passwordHistory)
      .flatMap((entry) => moment(section(entry).lastUsedDate) ?? [])
      .sort()
      .reverse(),
    revised_at: moment(raw.revisionDate),
    created_at: moment(raw.creationDate),
    deleted_at: moment(raw.deletedDate),
    archived_at: moment(raw.archivedDate),
    field_names: list(raw.fields).flatMap((field) => {
      const { name } = section(field);
      return typeof name === 'string' ? name : [];
    }),
  };
}

/** By their ids, as `bw list folders` tells them; what lies in none has an empty one. */
export function foldersIn(data: unknown): ReadonlyMap<string, string> {
  const named = list(data).map(section);
  return new Map(
    named.flatMap(({ id, name }) =>
      typeof id === 'string' && id !== '' && typeof name === 'string' ? [[id, name] as const] : [],
    ),
  );
}

/** The same letters may be written in two ways. */
export function hasName(raw: RawItem, name: string): boolean {
  return (raw.name as string).normalize('NFC') === name.normalize('NFC');
}

/** What it holds; `called` is how it was asked for. Throws VaultError: never an empty one, and none that was put away. */
export function secretIn(raw: RawItem, called: string): string {
  refusePutAway(raw, called);
  const empty = (sentence: string) => new VaultError('empty', `The item ${called} of the vault ${sentence}`);
  const held = holds[raw.type as keyof typeof holds];
  if (!held) throw empty('is no login, note or SSH key, and nothing else is read.');
  const { what, of } = held;
  const value = of(raw);
  // Where there is none, older releases write null as well.
  if (value === null && section(raw.login).password === null)
    throw empty(
      `shows no ${what} to this account. Either it has none, or it is in a collection that hides them: let the ` +
        'account of the service see the passwords there.',
    );
  if (typeof value !== 'string' || value.trim() === '') throw empty(`has no ${what}. Write it there.`);
  return value;
}

function refusePutAway(raw: RawItem, called: string): void {
  const [deleted, archived] = [moment(raw.deletedDate), moment(raw.archivedDate)];
  if (deleted)
    throw new VaultError(
      'trashed',
      `The item ${called} of the vault is in the trash since ${dayOf(deleted)}. Restore it there, or name the one that took its place.`,
    );
  if (archived)
    throw new VaultError(
      'trashed',
      `The item ${called} of the vault is archived since ${dayOf(archived)}. Take it out of the archive, or name the one that took its place.`,
    );
}

const holds = {
  1: { what: 'password', of: (raw: RawItem) => section(raw.login).password },
  2: { what: 'text', of: (raw: RawItem) => raw.notes },
  5: { what: 'private key', of: (raw: RawItem) => section(raw.sshKey).privateKey },
} as const;

function dayOf(moment: string): string {
  return moment.slice(0, 10);
}

/** Vaultwarden sends microseconds, others milliseconds. */
function moment(value: unknown): string | null {
  const at = typeof value === 'string' ? new Date(value) : undefined;
  return at && !Number.isNaN(at.getTime()) ? at.toISOString() : null;
}

function section(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function malformed(called: string): VaultError {
  return new VaultError('malformed', `${called} answered what is no item of a vault.`);
}
