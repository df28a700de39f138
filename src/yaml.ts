/**
 * YAML that people write, and where in the file everything in it stands; what may stand there is for others to say. And
 * YAML that Ansible reads.
 */

import {
  CORE_SCHEMA,
  constructFromEvents,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  dump,
  EVENT_ID,
  type Event,
  mergeTag,
  NOT_RESOLVED,
  parseEvents,
  SCALAR_STYLE,
  visit,
  YAML11_SCHEMA,
  YAMLException,
} from 'js-yaml';
import { DomainError, escapePointer, type Fault, faultInWords } from './errors.ts';

/** Both count from 1, as editors do. */
export interface Place {
  line: number;
  column: number;
}

export interface Yaml {
  fileName: string;
  /** `null` if the file is empty or all comment. */
  value: unknown;
  /** Where a JSON Pointer stands: at its key. What is not there stands where the nearest thing around it does. */
  placeOf: (pointer: string) => Place;
}

const schema = CORE_SCHEMA.withTags(mergeTag);
/** More than any estate; an alias of an alias of an alias can ask for any number in a few lines. */
const mostValues = 1_000_000;
const absent = -1;

/** Throws `invalid` with file, line, column and what stands there. */
export function readYaml(written: string, fileName: string): Yaml {
  const text = written.replace(/^\uFEFF/, '');
  const lineStarts = [0, ...Array.from(text.matchAll(/\r\n|\r|\n/g), (end) => end.index + end[0].length)];
  const placeAt = (offset: number): Place => {
    const line = lineStarts.findLastIndex((start) => start <= offset);
    return { line: line + 1, column: offset - (lineStarts[line] ?? 0) + 1 };
  };
  const refuse = (offset: number, reason: string): never => {
    const place = placeAt(offset);
    const detail = reasonShown(reason, text.slice(lineStarts[place.line - 1], lineStarts[place.line]));
    const message = `${fileName}:${place.line}:${place.column}: ${detail}`;
    throw new DomainError('invalid', message, { errors: [{ pointer: '', detail }] });
  };
  try {
    const events = parseEvents(text, {});
    const offsets = offsetsOf(text, events, refuse);
    const value = constructFromEvents(events, { source: text, schema, maxTotalMergeKeys: mostValues })[0] ?? null;
    if (weightOf(value, new Map()) > mostValues) {
      refuse(0, `its aliases (*name) lead into themselves, or to more than ${mostValues} values`);
    }
    return { fileName, value, placeOf: (pointer) => placeAt(nearest(offsets, pointer)) };
  } catch (error) {
    // Not kept as the cause: it holds the whole file, secrets and all.
    if (error instanceof YAMLException) return refuse(error.mark?.position ?? 0, error.reason);
    throw error;
  }
}

/** `rollcall.yml:12:3: http.listen must be text, not 7373`, for each fault, in the order of the file. */
export function faultLines(yaml: Yaml, faults: readonly Fault[]): string[] {
  return faults
    .map((fault) => ({ fault, place: yaml.placeOf(fault.pointer) }))
    .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
    .map(({ fault, place }) => faultLine(`${yaml.fileName}:${place.line}:${place.column}`, fault));
}

/** The same for a value that came from elsewhere, such as a variable. */
export function faultLine(origin: string, fault: Fault): string {
  return `${origin}: ${faultInWords(fault)}`;
}

/** From each pointer to the offset of its key, or of the value where there is no key. */
function offsetsOf(text: string, events: readonly Event[], refuse: (offset: number, reason: string) => never) {
  const offsets = new Map<string, number>();
  let next = 0;

  const readNode = (document: Event, pointer: string, keyOffset: number | undefined): void => {
    const event = events[next++];
    if (!event) return;
    const offset = keyOffset ?? offsetOf(event);
    if (offset !== undefined) offsets.set(pointer, offset);
    if (event.type !== EVENT_ID.SEQUENCE && event.type !== EVENT_ID.MAPPING) return;
    for (let index = 0; events[next]?.type !== EVENT_ID.POP && next < events.length; index++) {
      if (event.type === EVENT_ID.SEQUENCE) {
        readNode(document, `${pointer}/${index}`, undefined);
        continue;
      }
      const key = events[next++] as Event;
      const at = offsetOf(key) ?? offset ?? 0;
      // js-yaml refuses these too, but does not know where they stand.
      if (key.type === EVENT_ID.SEQUENCE || key.type === EVENT_ID.MAPPING) {
        refuse(at, 'a key must be text; put text that begins with { or [ in quotes');
      }
      readNode(document, `${pointer}/${escapePointer(nameOf(text, document, key))}`, at);
    }
    next++;
  };

  while (next < events.length) {
    const document = events[next++] as Event;
    const first = events[next];
    if (offsets.size > 0 && first) refuse(offsetOf(first) ?? text.length, 'one document is read, and a second begins');
    offsets.set('', 0);
    readNode(document, '', undefined);
    next++;
  }
  return offsets;
}

function offsetOf(event: Event): number | undefined {
  const found: number[] = [];
  if ('tagStart' in event && event.tagStart !== absent) found.push(event.tagStart);
  if ('anchorStart' in event && event.anchorStart !== absent) found.push(event.anchorStart - 1);
  if ('start' in event) found.push(event.start);
  if (event.type === EVENT_ID.SCALAR && event.valueStart !== absent) {
    const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
    found.push(quoted ? event.valueStart - 1 : event.valueStart);
  }
  return found.length > 0 ? Math.min(...found) : undefined;
}

/** A key as it is called in the value: `0x10` is `16` there. An alias is left as it is written. */
function nameOf(text: string, document: Event, key: Event): string {
  if (key.type !== EVENT_ID.SCALAR) return '*';
  return String(constructFromEvents([document, key, { type: EVENT_ID.POP }], { source: text, schema })[0]);
}

function nearest(offsets: ReadonlyMap<string, number>, pointer: string): number {
  for (let path = pointer; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) {
    const offset = offsets.get(path);
    if (offset !== undefined) return offset;
  }
  return offsets.get('') ?? 0;
}

/** With the line it is about. What stands behind a key that may hold a secret is not shown, nor what js-yaml quotes of it. */
function reasonShown(reason: string, line: string): string {
  const printable = line.trim().replace(/\p{Cc}/gu, '\uFFFD');
  const secret = /^(.*?(?:token|secret|pass|key|credential)\w*["']?\s*:)(?=.)/i.exec(printable)?.[1];
  if (secret !== undefined) return `${reason.replace(/ *(?:".*"|!<.*>)/, '')}: ${secret} …`;
  if (printable === '') return reason;
  return `${reason}: ${printable.length > 80 ? `${printable.slice(0, 79)}…` : printable}`;
}

/** How many values there are with every alias written out; infinite if one leads into itself. */
function weightOf(value: unknown, known: Map<object, number>): number {
  if (typeof value !== 'object' || value === null) return 1;
  const seen = known.get(value);
  if (seen !== undefined) return seen;
  known.set(value, Number.POSITIVE_INFINITY);
  const weight = Object.values(value).reduce((sum: number, part) => sum + weightOf(part, known), 1);
  known.set(value, weight);
  return weight;
}

// ---------- YAML that Ansible reads, which is of version 1.1

/** What stands under one of Ansible's own tags. */
class Tagged {
  readonly tag: string;
  readonly content: string | readonly unknown[] | ReadonlyMap<string, unknown>;

  constructor(tag: string, content: Tagged['content']) {
    this.tag = tag;
    this.content = content;
  }
}

const unsafe = '!unsafe';
const vault = '!vault';
const literal = '!literal';

const is = (tag: string, fits: (content: unknown) => boolean) => ({
  identify: (value: unknown) => value instanceof Tagged && value.tag === tag && fits(value.content),
});
const isText = (content: unknown) => typeof content === 'string';
const isList = (content: unknown) => Array.isArray(content);
const isMapping = (content: unknown) => content instanceof Map;
/** They are written, and never read. */
const unread = { resolve: () => NOT_RESOLVED, create: () => undefined, addItem: () => '', addPair: () => '' } as const;
const unreadMapping = { ...unread, has: () => false, keys: () => [], get: () => undefined };
const contentOf = <T>({ content }: Tagged) => content as T;

const ansibleSchema = YAML11_SCHEMA.withTags(
  defineScalarTag(literal, { ...unread, ...is(literal, isText), represent: contentOf<string> }),
  defineScalarTag(vault, { ...unread, ...is(vault, isText), represent: contentOf<string> }),
  defineScalarTag(unsafe, { ...unread, ...is(unsafe, isText), represent: contentOf<string> }),
  defineSequenceTag(unsafe, { ...unread, ...is(unsafe, isList), represent: contentOf<unknown[]> }),
  defineMappingTag(unsafe, { ...unreadMapping, ...is(unsafe, isMapping), represent: contentOf<Map<string, unknown>> }),
);

export function writeYaml(value: unknown): string {
  return dump(value, {
    schema: ansibleSchema,
    noRefs: true,
    lineWidth: -1,
    quoteStyle: 'double',
    forceQuotes: true,
    transform: (documents) =>
      visit(documents, (node) => {
        if (node.kind !== 'scalar' || node.tag !== literal) return;
        const tag = /[.e]/.test(node.value) ? 'float' : 'int';
        Object.assign(node, { tag: `tag:yaml.org,2002:${tag}`, tagged: false, style: SCALAR_STYLE.PLAIN });
      }),
  });
}

/** A number of JSON as it is written there, which has digits that JavaScript would lose; in the form of YAML 1.1. */
export function literalNumber(source: string): unknown {
  const [, whole = source, fraction = '.0', sign, exponent] = /^(-?\d+)(\.\d+)?[eE]([+-]?)(\d+)$/.exec(source) ?? [];
  return new Tagged(literal, exponent === undefined ? source : `${whole}${fraction}e${sign || '+'}${exponent}`);
}

/**
 * A variable of Ansible's inventory JSON, so that YAML says the same: marks (`__ansible_unsafe`) become tags. A list or
 * mapping in which every text is marked is marked as a whole, with all that is in it: behind a mark of its own
 * ansible-core 2.19 takes a text such as "12" for a number. One that stands among others without a mark loses its own,
 * which for a number, a date or `yes` means nothing.
 */
export function taggedForAnsible(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Tagged) return value;
  const text = markedText(value);
  if (text !== undefined) return isTakenForMore(text) ? text : new Tagged(unsafe, text);
  const secret = textUnder('__ansible_vault', value);
  if (secret !== undefined) return new Tagged(vault, secret);
  if (marksIn(value) === 'all') return taggedWhole(value);
  if (Array.isArray(value)) return value.map(taggedForAnsible);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, taggedForAnsible(inner)]));
}

function taggedWhole(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Tagged) return value;
  const text = markedText(value);
  if (text !== undefined) return text;
  if (Array.isArray(value)) return new Tagged(unsafe, value.map(taggedWhole));
  return new Tagged(unsafe, new Map(Object.entries(value).map(([key, inner]) => [key, taggedWhole(inner)])));
}

/** Of the texts in a value, whether all are marked, or some not. */
function marksIn(value: unknown): 'all' | 'some' | 'no text' {
  if (typeof value === 'string') return 'some';
  if (typeof value !== 'object' || value === null || value instanceof Tagged) return 'no text';
  if (markedText(value) !== undefined) return 'all';
  if (textUnder('__ansible_vault', value) !== undefined) return 'some';
  const inner = new Set(Object.values(value).map(marksIn));
  if (inner.has('some')) return 'some';
  return inner.has('all') ? 'all' : 'no text';
}

function markedText(value: object): string | undefined {
  return textUnder('__ansible_unsafe', value);
}

function textUnder(mark: string, value: object): string | undefined {
  const text = (value as Record<string, unknown>)[mark];
  return typeof text === 'string' ? text : undefined;
}

/** Whether a text without quotes is something else to YAML. */
function isTakenForMore(text: string): boolean {
  if (text === '=' || text === '<<') return true;
  return YAML11_SCHEMA.implicitScalarTags.some((tag) => tag.resolve(text, false, tag.tagName) !== NOT_RESOLVED);
}
