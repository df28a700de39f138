/** YAML that people write, and where in the file everything in it stands. What may stand there is for others to say. */

import {
  CORE_SCHEMA,
  constructFromEvents,
  EVENT_ID,
  type Event,
  mergeTag,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
} from 'js-yaml';
import { DomainError, escapePointer, type Fault } from './errors.ts';

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

/** `http.listen must be text, not 7373`. */
export function faultInWords({ pointer, detail }: Fault): string {
  const path = dotted(pointer);
  if (path === '') return detail;
  return `${path}${detail.startsWith('must ') ? '' : ':'} ${detail}`;
}

/** `/proxmox/clusters/0/token` as people say it: `proxmox.clusters[0].token`. */
function dotted(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => {
      if (/^\d+$/.test(part)) return `[${part}]`;
      return /^[\w-]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
    })
    .join('')
    .replace(/^\./, '');
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
