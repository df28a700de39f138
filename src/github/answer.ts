/** A call of a tracker and its answer, however they travel; and what is read from answers, which may hold anything. */

export interface Call {
  /** GET where it is left out. */
  method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Beneath the address of the API; begins with a /, and names in it are encoded. */
  path: string;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** Statuses besides success that are an answer here. */
  allowed?: readonly number[];
}

export interface Answered {
  status: number;
  header: (name: string) => string | undefined;
  /** What JSON the body holds; its text where it is none, empty without one. */
  data: unknown;
}

/** Answers whatever status came. Throws where none came. */
export type Exchange = (call: Call) => Promise<Answered>;

export type Row = Readonly<Record<string, unknown>>;

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function row(value: unknown): Row {
  return isRow(value) ? value : {};
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function isWrite({ method = 'GET' }: Call): boolean {
  return method !== 'GET';
}

/** A part of a path: dots alone would be taken for a way up, and lead to another call. */
export function part(name: string): string {
  if (/^\.{0,2}$/.test(name)) throw new TypeError(`A path has no part "${name}".`);
  return encodeURIComponent(name);
}

/** As trackers compare labels and logins. */
export function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

export function hasName(names: readonly string[], name: string): boolean {
  return names.some((one) => sameName(one, name));
}
