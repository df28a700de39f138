/** Plays an estate through the store and through the reference program, and makes one that differs small. */

import { isDeepStrictEqual } from 'node:util';
import type { Cmdb } from '../../src/cmdb/cmdb.ts';
import type { Store } from '../../src/store/open.ts';
import { stamp } from '../../src/time.ts';
import { type Estate, play, type Seen, type Step } from '../estates/run.ts';
import { type Compared, comparedModel, comparedStore, type ModelSeen, type PlayModel } from './model.ts';
import type { Standing } from './random-estate.ts';

export interface Difference {
  step: number;
  /** Where it is, as a path. */
  what: string;
  ours: unknown;
  theirs: unknown;
}

/** The first difference; undefined where there is none, and where the program cannot play it. */
export async function differenceOf(estate: Estate, playModel: PlayModel): Promise<Difference | undefined> {
  const { steps, numbers } = eachWriteAtItsTime(estate.steps);
  const played = { ...estate, steps };
  let theirs: ModelSeen[];
  try {
    theirs = playModel(played);
  } catch {
    return undefined;
  }
  const severalName: boolean[] = [];
  const watch = async (store: Store, _: Cmdb, now: Temporal.Instant) => {
    severalName.push(await timeNamesToo(store, now));
  };
  const { seen, faults } = await play(played, { watch });
  // The program names when time has had its say; the store names with each write, of which time's is the last, and names
  // anew only those who want one name. In one moment that may differ.
  const since = severalName.indexOf(true);
  for (const [index, one] of theirs.entries()) {
    const step = numbers[index] as number;
    const fault = faults.find((each) => each.step === index);
    if (fault) return { step, what: 'error', ours: fault.what, theirs: null };
    const hasNames = since === -1 || index < since;
    const difference = firstOf(comparedStore(seen[index] as Seen), comparedModel(one), hasNames);
    if (difference) return { step, ...difference };
  }
  return undefined;
}

/**
 * The program hears a whole step at once; the store writes one thing after the other, and no two of them at one time.
 * So each write has a moment of its own; with the number of the step that it is of.
 */
function eachWriteAtItsTime(steps: readonly Step[]): { steps: Step[]; numbers: number[] } {
  const writes = steps.flatMap((step, number) =>
    writesIn(step).map((write, index) => ({ number, write: { ...write, at: later(step.at, index) } })),
  );
  return { steps: writes.map(({ write }) => write), numbers: writes.map(({ number }) => number) };
}

/** What comes by itself, then reading by reading, then what a person does. */
function writesIn({ at, pass, observations = [], action }: Step): Step[] {
  const passes = [pass ?? []].flat();
  const alone = observations.filter((one) => !passes.some(({ source }) => source === one.source));
  const writes: Step[] = [
    ...alone.map((one) => ({ at, observations: [one] })),
    ...passes.map((one) => ({
      at,
      pass: one,
      observations: observations.filter(({ source }) => source === one.source),
    })),
    ...(action ? [{ at, action }] : []),
  ];
  return writes.length > 0 ? writes : [{ at }];
}

function later(at: string, milliseconds: number): string {
  return Temporal.Instant.from(at).add({ milliseconds }).toString();
}

/** Whether time changed what names hang on in this moment, and somebody else gave one. */
async function timeNamesToo(store: Store, now: Temporal.Instant): Promise<boolean> {
  const changes = await store.read
    .selectFrom('changes')
    .select(['source', 'after'])
    .where('changed_at', '=', stamp(now))
    .execute();
  const changed = (attributes: readonly string[], isByTime: boolean) =>
    changes.some(
      ({ source, after }) =>
        (source === 'clock') === isByTime && attributes.some((attribute) => attribute in JSON.parse(after)),
    );
  return changed(['ci_name', 'ci_status', 'site_id', 'ansible_name'], true) && changed(['ansible_name'], false);
}

function firstOf(ours: Compared, theirs: Compared, hasNames: boolean): Omit<Difference, 'step'> | undefined {
  for (const key of ['pass', 'partition', 'conflicts', 'alarms', 'shared'] as const)
    if (!isDeepStrictEqual(ours[key], theirs[key])) return { what: key, ours: ours[key], theirs: theirs[key] };
  for (const [ref, document] of Object.entries(theirs.documents))
    for (const [attribute, value] of Object.entries(document)) {
      if (attribute === 'ansible_name' && !hasNames) continue;
      const own = ours.documents[ref]?.[attribute];
      if (!isDeepStrictEqual(own, value)) return { what: `${attribute} of ${ref}`, ours: own, theirs: value };
    }
  return undefined;
}

const nothing: ModelSeen = { partition: [], docs: {}, conflicts: [], alarms: [], shared: [] };

/** What a person could act upon after the last step. */
export function standingAfter(estate: Estate, playModel: PlayModel): Standing {
  const { steps } = eachWriteAtItsTime(estate.steps);
  const last = playModel({ ...estate, steps }).at(-1) ?? nothing;
  return {
    items: last.partition,
    dead: new Set(
      Object.entries(last.docs)
        .filter(([, doc]) => doc.ci_status === 'missing' || doc.ci_status === 'retired')
        .map(([ref]) => ref),
    ),
    tags: new Map(Object.entries(last.docs).map(([ref, doc]) => [ref, doc.tags as string[]])),
    conflicts: last.conflicts,
    held: last.alarms.flatMap(({ alarm, source }) => (alarm === 'suspicious_pass' && source ? [source] : [])),
  };
}

/** Leaves out steps, observations and words for as long as it still differs. */
export async function shrunk(
  estate: Estate,
  playModel: PlayModel,
): Promise<{ estate: Estate; difference: Difference }> {
  let best = estate;
  let difference = (await differenceOf(best, playModel)) as Difference;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of smallerThan(best)) {
      const found = await differenceOf(candidate, playModel);
      if (!found || kindOf(found) !== kindOf(difference)) continue;
      [best, difference, isSmaller] = [candidate, found, true];
      break;
    }
  }
  return { estate: best, difference };
}

/** Which word it is that differs, whatever thing it is said of; or which error it is. */
export function kindOf({ what, ours }: Difference): string {
  return what === 'error' ? (String(ours).split('\n')[0] as string) : (what.split(' ')[0] as string);
}

function* smallerThan(estate: Estate): Generator<Estate> {
  const { steps } = estate;
  const withSteps = (changed: Step[]): Estate => ({ ...estate, steps: changed });
  const withStep = (at: number, step: Step) => withSteps(steps.map((one, index) => (index === at ? step : one)));
  for (let at = steps.length - 1; at >= 0; at -= 1)
    if (steps.length > 1) yield withSteps(steps.filter((_, index) => index !== at));
  for (const [at, step] of steps.entries()) {
    const { action, pass, observations = [], permute: _, ...rest } = step;
    const own = { ...rest, observations, ...(pass ? { pass } : {}), ...(action ? { action } : {}) };
    if (action) yield withStep(at, { ...rest, observations, ...(pass ? { pass } : {}) });
    if (pass) yield withStep(at, { ...rest, observations, ...(action ? { action } : {}) });
    if (Array.isArray(pass))
      for (const left of pass) yield withStep(at, { ...own, pass: pass.filter((one) => one !== left) });
    for (const left of observations)
      yield withStep(at, { ...own, observations: observations.filter((one) => one !== left) });
    for (const [index, one] of observations.entries())
      for (const smaller of smallerWords(one as unknown as Record<string, unknown>))
        yield withStep(at, {
          ...own,
          observations: observations.map((each, i) => (i === index ? (smaller as never) : each)),
        });
  }
}

function* smallerWords(one: Record<string, unknown>): Generator<Record<string, unknown>> {
  for (const key of [
    'specs',
    'tags',
    'environment',
    'role',
    'lifecycle',
    'power',
    'managed_by',
    'given',
    'container',
    'at',
  ]) {
    const { [key]: value, ...rest } = one;
    if (value !== undefined) yield rest;
  }
  const marks = (one.identifiers ?? {}) as Record<string, unknown>;
  for (const key of Object.keys(marks)) {
    // A hypervisor always knows its guests by number.
    if (key === 'pve' && String(one.source).startsWith('proxmox')) continue;
    const { [key]: _, ...rest } = marks;
    yield { ...one, identifiers: rest };
  }
}
