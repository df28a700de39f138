/** JSON whose numbers stay as they are written: 8.0 is not 8 to Ansible, and JavaScript has but 15 digits. Pure. */

/** A value that stringify writes as it stands. */
export interface RawJson {
  readonly rawJSON: string;
}

// https://tc39.es/proposal-json-parse-with-source, which TypeScript's library does not know yet.
declare global {
  interface JSON {
    rawJSON(text: string): RawJson;
    parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  }
}

/** Under this key stands, as text, what is lost where JSON is read and written again: 8.0, 20 digits, a null. */
const literal = '__rollcall_literal';
const literalForm = /^(?:null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/** A value in a form that survives being read and written again. */
export function literalOf(text: string): { [literal]: string } {
  return { [literal]: text };
}

/** The text of a value that was kept by `literalOf`; undefined for any other value. */
export function literalIn(value: object): string | undefined {
  const text = (value as { [literal]?: unknown })[literal];
  return typeof text === 'string' && literalForm.test(text) ? text : undefined;
}

/** Reads JSON, with `kept` in the place of each number that JavaScript would write otherwise. */
export function parseExactly(text: string, kept: (source: string) => unknown): unknown {
  return JSON.parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? kept(source) : value,
  );
}
