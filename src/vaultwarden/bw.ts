/** What Bitwarden's CLI is asked, in the two ways in which it listens: as a program, and as `bw serve`. */

export interface Question {
  /** Its arguments. */
  words: readonly string[];
  method: 'GET' | 'POST';
  path: string;
  limit: keyof TimeLimits;
  /** Releases that do not know it have nothing of what it asks for: their answer is an empty list. */
  youngOption?: string;
}

/** Milliseconds. The CLI itself has no limit: a server that does not answer keeps it for ever. */
export interface TimeLimits {
  one: number;
  /** Of what speaks with the server, and of lists. */
  all: number;
}

export const usualTimeLimits: TimeLimits = { one: 30_000, all: 60_000 };

export interface Bw {
  /** What it is, for sentences: `/usr/bin/bw`, `bw serve at unix:///run/rollcall-bw/bw.sock`. */
  called: string;
  /** Answers what it was asked for. Throws VaultError, or the signal's reason. */
  ask(question: Question, signal?: AbortSignal): Promise<unknown>;
  /** Undefined where it does not tell. */
  version(): Promise<string | undefined>;
}

/** Where items lie; each is in one of these places. */
export const shelves = ['use', 'trash', 'archive', 'archive_and_trash'] as const;
export type Shelf = (typeof shelves)[number];

const options: Readonly<Record<Shelf, readonly string[]>> = {
  use: [],
  trash: ['trash'],
  archive: ['archived'],
  archive_and_trash: ['archived', 'trash'],
};

export const status: Question = { words: ['status'], method: 'GET', path: '/status', limit: 'one' };

export const sync: Question = { words: ['sync'], method: 'POST', path: '/sync', limit: 'all' };

export const folders: Question = {
  words: ['list', 'folders'],
  method: 'GET',
  path: '/list/object/folders',
  limit: 'all',
};

/** Never with a search: that looks into user names and addresses too, and finds no name that has an accent. */
export function itemsOf(shelf: Shelf): Question {
  const query = options[shelf].map((option) => `${option}=true`).join('&');
  return {
    words: ['list', 'items', ...options[shelf].map((option) => `--${option}`)],
    method: 'GET',
    path: `/list/object/items${query === '' ? '' : `?${query}`}`,
    limit: 'all',
    ...(shelf.startsWith('archive') ? { youngOption: '--archived' } : {}),
  };
}

/** By its id alone: by a name the CLI takes what has it somewhere in itself. */
export function itemOf(id: string): Question {
  return {
    words: ['get', 'item', '--', id],
    method: 'GET',
    path: `/object/item/${encodeURIComponent(id)}`,
    limit: 'one',
  };
}
