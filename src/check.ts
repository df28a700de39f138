/** Unknown in, checked out: every fault named, with its place and what would be right. */

import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { type Static, type TSchema, type TUnsafe, Type } from 'typebox';
import { DomainError, type Fault } from './errors.ts';
import { faultsOf, type Shape } from './faults.ts';

// Tidier code is not faster code here, and making it takes longer than all else at a start.
const code = { optimize: false } as const;
const options = {
  allErrors: true,
  strict: false,
  allowUnionTypes: true,
  verbose: true,
  strictNumbers: true,
  code,
} as const;
const asItIs = new Ajv2020(options);
// Whether a schema is one is asked only where operators bring schemas of their own.
const withDefaults = new Ajv2020({ ...options, useDefaults: true, validateSchema: false });
const asText = new Ajv2020({ ...options, coerceTypes: true, validateSchema: false });
for (const ajv of [asItIs, withDefaults, asText]) addFormats.default(ajv);

/**
 * For input that must be right: answers it typed, or throws `invalid` with every fault named.
 * `what` opens the sentence, such as "The item".
 */
export function checker<Schema extends TSchema>(what: string, schema: Schema) {
  const find = faultFinder(schema);
  return (input: unknown): Static<Schema> => {
    const errors = find(input);
    if (errors.length > 0) throw invalid(what, errors);
    return input as Static<Schema>;
  };
}

/** The faults of an input, none if it is right; for callers that go on with what is right. */
export function faultFinder(schema: TSchema): (input: unknown) => Fault[] {
  const compiled = once(() => asItIs.compile(schema));
  return (input) => {
    const accepts = compiled();
    return accepts(input) ? [] : faultsOf(accepts.errors ?? []);
  };
}

/**
 * The same, filling the schema's defaults into the input; for settings. A section that is left out or left
 * empty is filled as well, unless the schema says that it is optional.
 */
export function settingsFaultFinder(schema: TSchema): (input: unknown) => Fault[] {
  const accepts = withDefaults.compile(schema);
  return (input) => {
    openSections(schema, input);
    return accepts(input) ? [] : faultsOf(accepts.errors ?? []);
  };
}

/** For a query string, where all is text: answers it with numbers where the schema has them, or throws `invalid`. */
export function queryReader(schema: TSchema | undefined): (query: Record<string, unknown>) => Record<string, unknown> {
  const compiled = once(() => asText.compile({ ...(schema ?? { type: 'object' }), additionalProperties: false }));
  return (query) => {
    const accepts = compiled();
    if (!accepts(query)) throw invalid('The query', faultsOf(accepts.errors ?? []));
    return query;
  };
}

/** At the first use: to compile every schema at the start would take a third of its time. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

export function invalid(what: string, errors: readonly Fault[]): DomainError {
  const [first] = errors;
  const where = first?.pointer ? ` at ${first.pointer}` : '';
  const more = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
  const sentence = `${what} is not right${where}: ${first?.detail ?? 'refused'}${more}`;
  return new DomainError('invalid', sentence.endsWith('?') ? sentence : `${sentence}.`, { errors });
}

/**
 * The schema of a value of that form, or null: by its type, and not as a choice, of which Ajv would write down each time
 * why the value is not the other thing.
 */
export function orNull<Schema extends TSchema>(schema: Schema): TUnsafe<Static<Schema> | null> {
  const { type, enum: words, anyOf } = schema as Shape;
  if (anyOf) return Type.Unsafe({ ...schema, anyOf: [...anyOf, Type.Null()] });
  return Type.Unsafe({
    ...schema,
    ...(type === undefined ? {} : { type: [type, 'null'].flat() }),
    ...(words ? { enum: [...words, null] } : {}),
  });
}

function openSections(schema: TSchema, input: unknown): void {
  const { properties, required, items } = schema as Shape;
  if (Array.isArray(input) && items) for (const entry of input) openSections(items, entry);
  if (typeof input !== 'object' || input === null) return;
  const sections = input as Record<string, unknown>;
  for (const [name, section] of Object.entries(properties ?? {})) {
    const shape: Shape = section;
    if (shape.type === 'object') {
      // YAML reads a section whose every line is commented out as null.
      const empty = Object.hasOwn(sections, name) ? sections[name] === null : required?.includes(name);
      if (empty) sections[name] = structuredClone(shape.default ?? {});
    }
    if (Object.hasOwn(sections, name)) openSections(section, sections[name]);
  }
}
