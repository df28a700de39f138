/** How settings name a secret: by where it is, and never by what it is. */

import { type TSchema, Type } from 'typebox';
import { escapePointer, faultInWords, StartError } from '../errors.ts';

/** Schemes that settings may name; who reads env and file is here, who reads the others is a module. */
export const secretSchemes = ['env', 'file', 'vaultwarden'] as const;

const form = `^(?:${secretSchemes.join('|')}):\\S(?:.*\\S)?$`;

/**
 * A setting that is a secret. What is no reference is refused without being shown, for it is probably the secret itself.
 */
export const SecretRef = Type.String({
  pattern: form,
  writeOnly: true,
  examples: ['env:NAME', 'file:PATH', 'vaultwarden:NAME'],
  description:
    'a secret itself must not stand here, only where it is: in a variable, in a file, whose path is relative to where ' +
    'Rollcall is started, or in the vault that `vaultwarden` names',
});

export function schemeOf(ref: string): string {
  return ref.slice(0, Math.max(0, ref.indexOf(':')));
}

/** Throws StartError with the place of every reference that nobody here can follow. */
export function refuseUnknownSchemes(schema: TSchema, settings: unknown, known: readonly string[]): void {
  const unknown = refsIn(schema, settings, '').filter(({ ref }) => !known.includes(schemeOf(ref)));
  if (unknown.length === 0) return;
  const lines = unknown.map(({ pointer, ref }) =>
    faultInWords({
      pointer,
      detail: `nothing here reads ${schemeOf(ref)}:, only ${known.map((one) => `${one}:`).join(' and ')}`,
    }),
  );
  throw new StartError(`The configuration is not right:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}

interface Shape {
  properties?: Record<string, TSchema>;
  patternProperties?: Record<string, TSchema>;
  items?: TSchema;
  anyOf?: readonly TSchema[];
  pattern?: string;
}

/** The references in settings that were checked, each with its JSON Pointer. */
function refsIn(schema: TSchema, value: unknown, pointer: string): { pointer: string; ref: string }[] {
  const { properties, patternProperties, items, anyOf = [], pattern } = schema as Shape;
  if (typeof value === 'string') {
    const isRef = [pattern, ...anyOf.map((branch) => (branch as Shape).pattern)].includes(form);
    return isRef ? [{ pointer, ref: value }] : [];
  }
  if (Array.isArray(value))
    return value.flatMap((entry, index) => (items ? refsIn(items, entry, `${pointer}/${index}`) : []));
  if (typeof value !== 'object' || value === null) return [];
  const others = Object.values(patternProperties ?? {})[0];
  const here = Object.entries(value).flatMap(([name, inner]) => {
    const shape = properties?.[name] ?? others;
    return shape ? refsIn(shape, inner, `${pointer}/${escapePointer(name)}`) : [];
  });
  return [...here, ...anyOf.flatMap((branch) => refsIn(branch, value, pointer))];
}
