/** Unknown in, checked out: every fault named, with its place and what would be right. */

import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { distance } from 'fastest-levenshtein';
import type { Static, TSchema } from 'typebox';
import { DomainError, type Fault } from './errors.ts';

const options = { allErrors: true, strict: false, allowUnionTypes: true, verbose: true } as const;
const asItIs = new Ajv2020(options);
const withDefaults = new Ajv2020({ ...options, useDefaults: true });
for (const ajv of [asItIs, withDefaults]) addFormats.default(ajv);

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
  const accepts = asItIs.compile(schema);
  return (input) => (accepts(input) ? [] : faultsOf(accepts));
}

/** The same, filling the schema's defaults into the input; for settings. */
export function settingsFaultFinder(schema: TSchema): (input: unknown) => Fault[] {
  const accepts = withDefaults.compile(schema);
  return (input) => (accepts(input) ? [] : faultsOf(accepts));
}

export function invalid(what: string, errors: readonly Fault[]): DomainError {
  const [first] = errors;
  const where = first?.pointer ? ` at ${first.pointer}` : '';
  const more = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
  return new DomainError('invalid', `${what} is not right${where}: ${first?.detail ?? 'refused'}${more}.`, { errors });
}

/** The known name that was probably meant, if one is near enough to be a slip of the hand. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, away: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.away - b.away);
  const best = ranked[0];
  return best && best.away <= Math.max(2, Math.floor(name.length / 3)) ? best.candidate : undefined;
}

export function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}

function faultsOf(accepts: ValidateFunction): Fault[] {
  const errors = accepts.errors ?? [];
  // An `anyOf` repeats what its branches said; the branches' own words are clearer, unless they differ in type alone.
  const branching = errors.filter((error) => error.keyword === 'anyOf' || error.keyword === 'oneOf');
  const inBranch = (error: ErrorObject) =>
    branching.some((outer) => outer !== error && error.schemaPath.startsWith(`${outer.schemaPath}/`));
  const kept = errors.filter((error) => !inBranch(error) && error.keyword !== 'if');
  const seen = new Set<string>();
  return kept.map(faultOf).filter((fault) => {
    const key = `${fault.pointer}\n${fault.detail}`;
    return !seen.has(key) && seen.add(key);
  });
}

function faultOf(error: ErrorObject): Fault {
  const at = (part: string) => `${error.instancePath}/${escapePointer(part)}`;
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = String(params.additionalProperty ?? params.unevaluatedProperty);
      const known = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
      const near = nearestName(name, known);
      const hint = near ? `did you mean "${near}"?` : known.length > 0 ? `known are ${known.join(', ')}` : 'none is known';
      return { pointer: at(name), detail: `"${name}" is not a known key here; ${hint}` };
    }
    case 'required':
      return { pointer: at(String(params.missingProperty)), detail: `"${String(params.missingProperty)}" is missing` };
    case 'enum': {
      const allowed = params.allowedValues as unknown[];
      return { pointer: error.instancePath, detail: `must be one of ${allowed.map(shown).join(', ')}, not ${shown(error.data)}` };
    }
    case 'const':
      return { pointer: error.instancePath, detail: `must be ${shown(params.allowedValue)}, not ${shown(error.data)}` };
    case 'type':
      return { pointer: error.instancePath, detail: `must be ${typeWords(params.type)}, not ${shown(error.data)}` };
    case 'anyOf':
    case 'oneOf':
      return { pointer: error.instancePath, detail: `must be ${branchWords(error)}, not ${shown(error.data)}` };
    case 'pattern':
    case 'format': {
      const described = (error.parentSchema as { description?: string } | undefined)?.description;
      return { pointer: error.instancePath, detail: `${shown(error.data)} ${error.message}${described ? ` (${described})` : ''}` };
    }
    default:
      return { pointer: error.instancePath, detail: error.message ?? error.keyword };
  }
}

function branchWords(error: ErrorObject): string {
  const branches = (error.schema as Record<string, unknown>[] | undefined) ?? [];
  const words = branches.flatMap((branch) => {
    if ('const' in branch) return [shown(branch.const)];
    if (Array.isArray(branch.enum)) return branch.enum.map(shown);
    if ('type' in branch) return [typeWords(branch.type)];
    return [];
  });
  return words.length > 0 ? words.join(' or ') : 'of another form';
}

function typeWords(type: unknown): string {
  const names: Record<string, string> = { string: 'text', object: 'an object', array: 'a list', boolean: 'true or false', number: 'a number', integer: 'a whole number' };
  return [type].flat().map((name) => names[String(name)] ?? String(name)).join(' or ');
}

/** A value as a person would write it, cut; never more than the start of it. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
