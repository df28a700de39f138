/** What Ajv finds wrong, in words that say what would be right. A secret is never among the words. */

import type { ErrorObject } from 'ajv/dist/2020.js';
import { distance } from 'fastest-levenshtein';
import type { TSchema } from 'typebox';
import { escapePointer, type Fault } from './errors.ts';
import { secretLikeness } from './secret-likeness.ts';

/** What is wrong in so many places is wrong in one; a large input must not make an endless answer. */
const mostFaults = 1000;
const longestName = 100;

/** What is read of a schema, ours or a branch of one. */
export interface Shape {
  type?: unknown;
  const?: unknown;
  enum?: readonly unknown[];
  anyOf?: readonly TSchema[];
  default?: unknown;
  description?: string;
  examples?: readonly unknown[];
  /** A secret: what was sent in its place is never shown. */
  writeOnly?: boolean;
  properties?: Record<string, TSchema>;
  required?: readonly string[];
  items?: TSchema;
}

/** Each fault once, and of the branches of a choice only what the input was an attempt at. */
export function faultsOf(all: readonly ErrorObject[]): Fault[] {
  const errors = all.slice(0, mostFaults);
  const repeated = new Set(errors.filter((error) => isRepeated(error)));
  for (const choice of errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')) {
    const inner = errors.filter((error) => branchOf(choice, error) !== undefined);
    const meant = meantBranch(choice, inner);
    if (meant !== undefined) repeated.add(choice);
    for (const error of inner) if (branchOf(choice, error) !== meant) repeated.add(error);
  }
  const faults = errors.filter((error) => !repeated.has(error)).map(faultOf);
  return [...new Map(faults.map((fault) => [`${fault.pointer}\n${fault.detail}`, fault])).values()];
}

/** The known name that was probably meant: one of which this is a whole part, or a slip of the hand. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > longestName) return undefined;
  const [whole] = known
    .filter((candidate) => candidate.split('_').includes(name.toLowerCase()))
    .sort((a, b) => a.length - b.length);
  if (whole !== undefined) return whole;
  const ranked = known
    .map((candidate) => ({ candidate, away: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.away - b.away);
  const best = ranked[0];
  return best && best.away <= Math.max(2, Math.floor(name.length / 3)) ? best.candidate : undefined;
}

/** Said by another error, and better. */
function isRepeated({ keyword, parentSchema }: ErrorObject): boolean {
  if (keyword === 'if' || keyword === 'propertyNames') return true;
  return keyword === 'type' && parentSchema !== undefined && ('const' in parentSchema || 'enum' in parentSchema);
}

/** The branch of an `anyOf` that an error comes from. */
function branchOf(choice: ErrorObject, error: ErrorObject): number | undefined {
  if (!error.schemaPath.startsWith(`${choice.schemaPath}/`)) return undefined;
  if (`${error.instancePath}/`.startsWith(`${choice.instancePath}/`) === false) return undefined;
  return Number.parseInt(error.schemaPath.slice(choice.schemaPath.length + 1), 10);
}

/**
 * The one branch that the input is an attempt at: of the right type, and with the right word where a
 * branch has a fixed word. Its faults say more than that no branch fits.
 */
function meantBranch(choice: ErrorObject, inner: readonly ErrorObject[]): number | undefined {
  const ruledOut = new Set(
    inner
      .filter(({ keyword, instancePath }) => {
        const here = instancePath === choice.instancePath;
        const inIt = instancePath.lastIndexOf('/') === choice.instancePath.length;
        return (here && ['type', 'const', 'enum'].includes(keyword)) || (inIt && keyword === 'const');
      })
      .map((error) => branchOf(choice, error)),
  );
  const left = Array.from(choice.schema as unknown[], (_, branch) => branch).filter((branch) => !ruledOut.has(branch));
  return left.length === 1 ? left[0] : undefined;
}

function faultOf(error: ErrorObject): Fault {
  const params = error.params as Record<string, string | undefined>;
  const name = params.additionalProperty ?? params.unevaluatedProperty ?? params.missingProperty ?? error.propertyName;
  const pointer = name === undefined ? error.instancePath : `${error.instancePath}/${escapePointer(name)}`;
  return { pointer, detail: detailOf(error, name ?? '') };
}

function detailOf(error: ErrorObject, name: string): string {
  const params = error.params as Record<string, unknown>;
  const limit = Number(params.limit);
  const shape = (error.parentSchema ?? {}) as Shape;
  const rather = notThis(error);
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return `${shown(name)} is not a known key here; ${knownInstead(name, wantedKeys(shape))}`;
    case 'required':
      return `${shown(name)} is missing`;
    case 'enum':
      return `must be one of ${wordsOrNull(params.allowedValues as unknown[])}${rather}`;
    case 'const':
      return `must be ${shown(params.allowedValue)}${rather}`;
    case 'type':
      return `must be ${typeWords(params.type)}${rather}`;
    case 'anyOf':
    case 'oneOf':
      return `must be ${choiceWords(error.schema as Shape[])}${rather}`;
    case 'pattern':
    case 'format':
      return `must ${formWords(error, shape)}${rather}${shape.description ? ` (${shape.description})` : ''}`;
    case 'not':
      return `must not be sent: ${shape.description ?? 'it is not wanted here'}`;
    case 'minLength':
      return limit === 1 ? 'must not be empty' : `must have at least ${limit} characters${rather}`;
    case 'maxLength':
      return `must have at most ${limit} characters, and has ${Array.from(String(error.data)).length}`;
    case 'minimum':
      return `must be ${limit} or more${rather}`;
    case 'maximum':
      return `must be ${limit} or less${rather}`;
    case 'exclusiveMinimum':
      return `must be more than ${limit}${rather}`;
    case 'minItems':
      return limit === 1 ? 'must not be empty' : `must have at least ${limit} entries`;
    case 'maxItems':
      return `must have at most ${limit} entries, and has ${(error.data as unknown[]).length}`;
    default:
      return error.message ?? error.keyword;
  }
}

/** Not those that stand there to be refused. */
function wantedKeys({ properties = {} }: Shape): string[] {
  return Object.keys(properties).filter((key) => !('not' in (properties[key] as Shape)));
}

function wordsOrNull(values: readonly unknown[]): string {
  const words = values.filter((value) => value !== null).map(shown);
  return `${words.join(', ')}${words.length < values.length ? ' or null' : ''}`;
}

function knownInstead(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  if (near !== undefined) return `did you mean ${shown(near)}?`;
  return known.length > 0 ? `known are ${known.join(', ')}` : 'none is known';
}

/**
 * What stands there instead, unless it could be a secret: the place is for one, or is for a section, and
 * the one value in it was put straight behind its name.
 */
function notThis({ data, parentSchema, schema, keyword }: ErrorObject): string {
  const shapes: Shape[] = [
    (parentSchema ?? {}) as Shape,
    ...(keyword === 'anyOf' || keyword === 'oneOf' ? (schema as Shape[]) : []),
  ];
  if (shapes.some((shape) => shape.writeOnly)) return '';
  // Where one of some words may stand as well, it is a slip in that.
  const forSection =
    shapes.some((shape) => shape.type === 'object' || shape.type === 'array') && !shapes.some((shape) => shape.enum);
  if (typeof data === 'string' && forSection) return ', not text';
  return `, not ${shown(data)}`;
}

function formWords({ params, message }: ErrorObject, { examples, description }: Shape): string {
  if (examples) return `look like ${examples.join(' or ')}`;
  const known = formatWords[String((params as Record<string, unknown>).format)];
  if (known !== undefined) return known;
  return description === undefined ? String(message).replace(/^must /, '') : 'be written as described';
}

function choiceWords(branches: readonly Shape[]): string {
  const words = branches.flatMap((branch) => {
    if ('const' in branch) return [shown(branch.const)];
    if (branch.enum) return branch.enum.map(shown);
    if (branch.required && branch.type === 'object') return [`an object with ${branch.required.join(', ')}`];
    return branch.type === undefined ? [] : [typeWords(branch.type)];
  });
  return words.length > 0 ? [...new Set(words)].join(' or ') : 'of another form';
}

function typeWords(type: unknown): string {
  return [type]
    .flat()
    .map((name) => typeNames[String(name)] ?? String(name))
    .join(' or ');
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  object: 'an object',
  array: 'a list',
  boolean: 'true or false',
  number: 'a number',
  integer: 'a whole number',
};

const formatWords: Readonly<Record<string, string>> = {
  'date-time': 'be a time with its zone, such as 2026-03-02T10:00:00Z',
  date: 'be a date such as 2026-03-02',
  uri: 'be an address such as https://example.org/',
  email: 'be an e-mail address',
  uuid: 'be a UUID',
  ipv4: 'be an IPv4 address',
  ipv6: 'be an IPv6 address',
};

/** A value as a person would write it; never more than the start of it, and of what holds others only the kind. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  if (secretLikeness(value) !== undefined) return 'what stands there, which looks like a secret';
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
}
