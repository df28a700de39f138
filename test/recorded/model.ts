/**
 * The reference program of the rules, which stands beside the recordings, and where Rollcall means to differ from it:
 * each such rule is put into the program here, with a sentence, so that all else must be equal.
 */

import { pathToFileURL } from 'node:url';
import type { Estate, Seen } from '../estates/run.ts';
import { recorded } from './folder.ts';

interface ModelGone {
  since: number;
  passes: number;
  withdrawn?: boolean;
  retired: boolean;
}

interface ModelClaim {
  ref: string;
  kind: string;
  source: string;
  ids: { pve: string | null; uuid: string | null; mac: readonly string[] };
  name: string | null;
  nname: string | null;
  type: string;
  site: string;
  parent: string | null;
  container: boolean | null;
  raw: unknown;
  words: Record<string, unknown>;
  specs: Record<string, unknown>;
  tags: string[];
  ansible: unknown;
  bound?: string;
  gone: ModelGone | null;
  goneWas?: ModelGone;
  returned?: number;
  isPosted?: boolean;
  muted?: boolean;
  alarm?: boolean;
  cut?: object;
  hidden: boolean;
  ghost?: boolean;
  touched: number;
  said: Record<string, number>;
  values: string[];
  at: number;
  seenPass?: number;
  ci: string | null;
  ciBefore: string | null;
  was: string[];
  /** The item whose machine Terraform replaced. */
  replaces?: string | undefined;
  bodySince: number;
  since: Record<string, number>;
  retiredAt?: number;
  first: number;
  before: ModelClaim | null;
}

interface ModelDocument {
  winners: Record<string, string>;
  specs: Record<string, unknown>;
  [attribute: string]: unknown;
}

interface ModelItem {
  id: string;
  seq: number;
  made: number;
  pins: Record<string, { value: unknown }>;
  hold: { reason: string; by: string; until: number | null } | null;
  off: Set<string>;
  rebuilds: Set<number>;
  firstAnchor?: string | undefined;
  tomb: { to: string; at: number; byPerson?: boolean } | null;
  name: { name: string; by: string; from: string } | null;
  /** What was asked for and not given is not asked for again. */
  asked?: string;
}

interface ModelThing {
  claims: ModelClaim[];
  cis: string[];
  /** Terraform replaced its machine in this moment. */
  rebuilt?: boolean;
}

interface Model {
  now: number;
  claims: Map<string, ModelClaim>;
  cis: Map<string, ModelItem>;
  same: Map<string, string>;
  apart: Set<string>;
  open: Map<string, unknown>;
  body: (this: Model, claim: ModelClaim) => void;
  suspicious: Map<string, { at: number; no: number }>;
  contradict: (this: Model, one: ModelThing, other: ModelThing, level: string, context: object) => boolean;
  stoodBeside: (this: Model, one: string, other: string) => boolean;
  settled: (this: Model, claim: ModelClaim) => string | null;
  live: (this: Model, id: string | null, settledOnly?: boolean) => string | null;
  pick: <T>(
    this: Model,
    claims: readonly ModelClaim[],
    rank: readonly string[],
    read: (claim: ModelClaim) => T | null | undefined,
    since: string,
  ) => ModelClaim | null;
  defaultSite: string;
  attach: (this: Model, claim: ModelClaim, id: string | null) => void;
  fill: (this: Model, claim: ModelClaim, observation: object, partial: boolean | undefined) => void;
  withdraw: (this: Model, source: string) => void;
  resolve: (this: Model, start: readonly ModelClaim[]) => void;
  put: (this: Model, id: string, by: string, body: Record<string, unknown>) => string[];
  accept: (this: Model, source: string) => void;
  sweep: (this: Model, at?: number) => void;
  giveNames: (this: Model) => void;
  write: (this: Model, claims: ModelClaim[], outcome: { groups: ModelThing[] }, held: Map<string, string[]>) => void;
  observe: (this: Model, source: string, observation: { key: string }, at?: number, by?: object) => string;
  component: (this: Model, start: readonly ModelClaim[]) => ModelClaim[];
  valuesOf: (this: Model, claim: ModelClaim) => string[];
  reindex: (this: Model, claim: ModelClaim) => void;
  inherit: (this: Model, item: ModelItem, other: ModelItem) => void;
  split: (this: Model, refs: readonly string[]) => void;
  of: (this: Model, id: string) => ModelClaim[];
  words: (this: Model, id: string) => ModelClaim[];
  doc: (this: Model, id: string) => ModelDocument;
}

export interface ModelSeen {
  partition: string[][];
  docs: Record<string, ModelDocument>;
  conflicts: { claim: string; candidates: string[] }[];
  alarms: Record<string, string>[];
  shared: string[];
  pass?: string;
}

export type PlayModel = (estate: Estate) => ModelSeen[];

export async function openModel(): Promise<PlayModel> {
  const program = async (file: string): Promise<unknown> =>
    await import(pathToFileURL(recorded('..', 'model', file)).href);
  const { Model } = (await program('identity.mjs')) as { Model: { prototype: Model } };
  const { play } = (await program('play.mjs')) as {
    play: (estate: Estate, options: { check: boolean }) => { seen: ModelSeen[] };
  };
  for (const rule of rules) rule(Model.prototype);
  return (estate) => play(estate, { check: false }).seen;
}

const rules = [
  mutedAtOnce,
  asOfBefore,
  repeatIsNoNews,
  heardLate,
  formerValues,
  changedNow,
  waitedInVain,
  verdictsOfFormer,
  replacedOnce,
  firstWords,
  mergedInVain,
  partedNames,
  saidBefore,
  saidLast,
  copiesOfOneAge,
  measuredAgain,
  withdrawnWhole,
  mergeTakesAll,
  heardSince,
  inForce,
  lastWordStands,
  siteOfCluster,
  postedOne,
  writtenNames,
  shownNumber,
  pinAlone,
];

/**
 * What is found to be of another machine lends nothing from then on, and not only when something else is heard; which
 * is found from what stood before the moment, not from the rows of a reading that came first.
 */
function mutedAtOnce(model: Model): void {
  const { resolve } = model;
  let moment = 0;
  let before = new Map<string, boolean>();
  model.resolve = function (start) {
    if (moment !== this.now) before = new Map([...this.claims].map(([ref, { muted }]) => [ref, muted ?? false]));
    moment = this.now;
    const facts = this.component(start).filter(({ kind }) => kind === 'ansible');
    for (const claim of facts) claim.muted = before.get(claim.ref) ?? false;
    resolve.call(this, start);
    if (facts.some(({ ref, muted }) => (muted ?? false) !== (before.get(ref) ?? false))) resolve.call(this, start);
  };
}

/** Whom Terraform replaces, and with which guest an item began, comes from what stood before the moment as well. */
function asOfBefore(model: Model): void {
  const { resolve } = model;
  let moment = 0;
  let replaced = new Map<string, string | undefined>();
  let begun = new Map<string, string | undefined>();
  model.resolve = function (start) {
    if (moment !== this.now) {
      replaced = new Map([...this.claims].map(([ref, { replaces }]) => [ref, replaces]));
      begun = new Map([...this.cis].map(([id, { firstAnchor }]) => [id, firstAnchor]));
    }
    moment = this.now;
    for (const claim of this.component(start)) {
      claim.replaces = replaced.get(claim.ref);
      for (const id of [claim.ci, claim.ciBefore]) {
        const item = this.cis.get(id ?? '');
        if (item) item.firstAnchor = begun.get(item.id);
      }
    }
    resolve.call(this, start);
  };
}

/**
 * What is heard again unchanged is no news: reading a file again must not cost an import its place in a conflict. What
 * identifies it no other way than before decides nothing anew.
 */
function repeatIsNoNews(model: Model): void {
  const { observe, reindex, resolve } = model;
  const contentOf = ({ type, name, site, parent, container, raw, words, specs, tags, ansible, bound }: ModelClaim) =>
    JSON.stringify([type, name, site, parent, container, raw, words, specs, tags, ansible, bound]);
  const identityOf = (one: Model, claim: ModelClaim) => JSON.stringify([claim.type, claim.bound, one.valuesOf(claim)]);
  let current: { ref: string; content: string; touched: number; identity: string | undefined } | undefined;
  let quiet: { ref: string; at: number } | undefined;
  model.observe = function (source, observation, at, by) {
    const ref = `${source} ${observation.key}`;
    const claim = this.claims.get(ref);
    quiet = undefined;
    const isDoubted = claim && (claim.muted || claim.alarm || claim.cut || claim.ci === null);
    current =
      claim && !claim.gone
        ? {
            ref,
            content: contentOf(claim),
            touched: claim.touched,
            identity: isDoubted ? undefined : identityOf(this, claim),
          }
        : undefined;
    return observe.call(this, source, observation, at, by);
  };
  model.reindex = function (claim) {
    if (current && claim.ref === current.ref) {
      if (contentOf(claim) === current.content) claim.touched = current.touched;
      if (identityOf(this, claim) === current.identity) quiet = { ref: claim.ref, at: this.now };
    }
    current = undefined;
    reindex.call(this, claim);
  };
  model.resolve = function (start) {
    const [only, ...others] = start;
    if (others.length === 0 && only && only.ref === quiet?.ref && quiet.at === this.now) return;
    resolve.call(this, start);
  };
}

/** What waits is looked at whenever its source speaks of it, also late. */
function heardLate(model: Model): void {
  const { observe } = model;
  model.observe = function (source, observation, at, by) {
    const claim = this.claims.get(`${source} ${observation.key}`);
    const isLate = claim?.ci === null && Math.min(at ?? this.now, this.now) < claim.at;
    const ref = observe.call(this, source, observation, at, by);
    if (isLate) this.resolve([claim]);
    return ref;
  };
}

/** What a claim said before counts in the moment in which it says something else, and connects nobody after that. */
function formerValues(model: Model): void {
  const { resolve } = model;
  let moment = 0;
  model.resolve = function (start) {
    if (moment !== this.now)
      for (const claim of this.claims.values()) {
        if (!claim.before || claim.touched === this.now) continue;
        claim.before = { ...claim.before, said: claim.said, values: [] };
        this.reindex(claim);
        claim.before = null;
      }
    moment = this.now;
    resolve.call(this, start);
  };
}

/** Terraform replaces a machine by giving its address another number in this moment, not by anything else. */
function changedNow(model: Model): void {
  const { resolve } = model;
  model.resolve = function (start) {
    for (const claim of this.claims.values())
      if (claim.kind === 'terraform' && (claim.touched !== this.now || hasSameNumber(claim, claim.before)))
        claim.before = null;
    resolve.call(this, start);
  };
}

function hasSameNumber(claim: ModelClaim, before: ModelClaim | null): boolean {
  return before !== null && claim.ids.pve === before.ids.pve;
}

/** What waited for an answer, and is no longer said, is not made an item: nobody ever knew which it was. */
function waitedInVain(model: Model): void {
  const { write } = model;
  model.write = function (claims, outcome, held) {
    const isInVain = ({ cis, claims: own }: ModelThing) => cis.length === 0 && own.every(({ gone }) => gone);
    for (const group of outcome.groups.filter(isInVain)) for (const claim of group.claims) this.attach(claim, null);
    write.call(this, claims, { ...outcome, groups: outcome.groups.filter((group) => !isInVain(group)) }, held);
  };
}

/** Of two items that were made in one moment the one outlives a merge whose words come first: all else is order of arrival. */
function firstWords(model: Model): void {
  const { write } = model;
  model.write = function (claims, outcome, held) {
    const leastOf = (id: string) =>
      claims
        .filter((claim) => this.settled(claim) === id)
        .map(({ ref }) => ref)
        .sort()[0] ?? '';
    for (const { cis } of outcome.groups) {
      const items = cis.map((id) => this.cis.get(id) as ModelItem);
      const numbers = items.map(({ seq }) => seq).sort((a, b) => a - b);
      items.sort((a, b) => a.made - b.made || (leastOf(a.id) < leastOf(b.id) ? -1 : 1));
      for (const [index, item] of items.entries()) item.seq = numbers[index] as number;
    }
    write.call(this, claims, outcome, held);
  };
}

/** What went over with a merge goes back with it, where the moment itself took it back. */
function mergedInVain(model: Model): void {
  const { inherit, write } = model;
  let moment = 0;
  let merges: { other: ModelItem; giveBack: () => void }[] = [];
  model.inherit = function (item, other) {
    if (moment !== this.now) merges = [];
    moment = this.now;
    const { pins, hold, off, name } = { ...item, off: new Set(item.off) };
    inherit.call(this, item, other);
    // Each bears its own name.
    const given = item.name && { ...item.name };
    item.name = given;
    const giveBack = () => {
      const cameWithIt = ([attribute, pin]: [string, unknown]) =>
        pin === other.pins[attribute] && pin !== pins[attribute];
      item.pins = Object.fromEntries(Object.entries(item.pins).filter((pin) => !cameWithIt(pin)));
      if (item.hold === other.hold) item.hold = hold;
      for (const tag of other.off) if (!off.has(tag)) item.off.delete(tag);
      if (item.name === given) item.name = name;
    };
    merges.push({ other, giveBack });
  };
  model.write = function (claims, outcome, held) {
    const inVain = moment === this.now ? merges.filter(({ other }) => other.tomb === null) : [];
    for (const { giveBack } of inVain.reverse()) giveBack();
    merges = merges.filter((merge) => !inVain.includes(merge));
    write.call(this, claims, outcome, held);
  };
}

/**
 * Two that a person parts again bear the names that they had before they were merged, as far as no third one has them.
 * What is parted is the one that was merged, and not one that had been merged into that.
 */
function partedNames(model: Model): void {
  const { inherit, split } = model;
  const merges = new WeakMap<ModelItem, { item: ModelItem; own: ModelItem['name']; given: string | undefined }>();
  model.inherit = function (item, other) {
    const own = item.name && { ...item.name };
    inherit.call(this, item, other);
    merges.set(other, { item, own, given: item.name?.name });
  };
  model.split = function (refs) {
    const merged = [...this.cis.values()].filter(({ tomb }) => tomb);
    for (const claim of refs.flatMap((ref) => this.claims.get(ref) ?? [])) {
      const from = this.live(claim.ci);
      const isDirect = (id: string) => this.cis.get(id)?.tomb?.to === from;
      claim.was.sort((a, b) => Number(isDirect(b)) - Number(isDirect(a)));
    }
    split.call(this, refs);
    for (const other of merged) {
      const { item, own, given } = merges.get(other) ?? {};
      if (other.tomb || !item) continue;
      const third = [...this.cis.values()].filter((one) => one !== item && one !== other && !one.tomb);
      const isTaken = (name: ModelItem['name']) => third.some((one) => name && one.name?.name === name.name);
      const cameWithIt = item.name && [other.name?.name, given].includes(item.name.name);
      if (cameWithIt && own !== undefined && !isTaken(own)) {
        item.name = own;
        delete item.asked;
      }
      if (isTaken(other.name) || other.name?.name === item.name?.name) other.name = null;
    }
  };
}

/** What a person decided of a number's former guest is of that one, and not of its next. */
function verdictsOfFormer(model: Model): void {
  const { body } = model;
  model.body = function (claim) {
    const ghost = `${claim.ref}#${this.now}`;
    move(this, ghost, claim.ref);
    body.call(this, claim);
    if (this.claims.has(ghost)) move(this, claim.ref, ghost);
  };
  const move = ({ same, apart }: Model, from: string, to: string) => {
    const id = same.get(from);
    if (id !== undefined) same.set(to, id);
    same.delete(from);
    const pairs = [...apart];
    for (const pair of pairs) {
      const refs = pair.split('\t');
      if (!refs.includes(from)) continue;
      apart.delete(pair);
      apart.add(refs.map((ref) => (ref === from ? to : ref)).join('\t'));
    }
  };
}

/** Several may speak of a machine's successor, one after the other: one that went is replaced once. */
function replacedOnce(model: Model): void {
  const { write } = model;
  model.write = function (claims, outcome, held) {
    for (const group of outcome.groups) {
      const item = this.cis.get(eldestOf(this, group) ?? '');
      const since = latest([...(item?.rebuilds ?? [])].filter((at) => at < this.now));
      const wentSince = ({ kind, gone }: ModelClaim) => kind === 'proxmox-api' && gone !== null && gone.since > since;
      if (!group.claims.some(wentSince)) group.rebuilt = false;
    }
    write.call(this, claims, outcome, held);
  };
}

function eldestOf(model: Model, { cis }: ModelThing): string | undefined {
  const items = cis.map((id) => model.cis.get(id) as ModelItem);
  return items.sort((a, b) => a.made - b.made || a.seq - b.seq)[0]?.id;
}

const latest = (times: readonly number[]) => Math.max(Number.NEGATIVE_INFINITY, ...times);

/**
 * What facts said before a machine was rebuilt or replaced has no word from then on, and not only in that moment, or
 * while its hypervisor reports it; unless they are of the machine that it is since.
 */
function saidBefore(model: Model): void {
  const { contradict, write } = model;
  model.contradict = function (one, other, level, context) {
    const since = latest(
      one.cis.flatMap((id) => [...(this.cis.get(id)?.rebuilds ?? [])]).filter((at) => at < this.now),
    );
    const isReported = one.claims.some(({ kind, gone }) => kind === 'proxmox-api' && !gone);
    const isOld = (claim: ModelClaim) =>
      claim.kind === 'ansible' &&
      claim.at <= since &&
      claim.touched !== this.now &&
      one.cis.includes(this.settled(claim) ?? '');
    const isForgiven = level === 'key' && isReported && other.claims.some(isOld);
    return contradict.call(this, one, other, level, isForgiven ? { ...context, rebuilt: true } : context);
  };
  model.write = function (claims, outcome, held) {
    write.call(this, claims, outcome, held);
    for (const { claims: own } of outcome.groups) {
      const guests = own.filter(({ kind, ids }) => kind === 'proxmox-api' && ids.pve);
      const item = this.cis.get(this.live(own[0]?.ci ?? null) ?? '');
      if (!item || guests.length === 0) continue;
      const since = latest([...item.rebuilds]);
      const living = guests.filter(({ gone }) => !gone);
      const ofThisBody = living.length > 0 ? living : guests.filter(({ gone }) => (gone?.since ?? 0) > since);
      const isContainer = own.some(({ type, gone }) => type === 'lxc_container' && !gone);
      const uuids = living.flatMap(({ ids }) => ids.uuid ?? []);
      const isOfThisBody = ({ ids }: ModelClaim) => {
        if (!isContainer && ids.uuid && uuids.length > 0) return uuids.includes(ids.uuid);
        return ofThisBody.some(
          (guest) =>
            (!isContainer && ids.uuid && guest.ids.uuid === ids.uuid) ||
            guest.ids.mac.some((mac) => ids.mac.includes(mac)),
        );
      };
      for (const facts of own)
        if (facts.kind === 'ansible' && facts.at < since && !isOfThisBody(facts))
          Object.assign(facts, { muted: true, alarm: false, foreign: [] });
    }
  };
}

/** Of names and types too the one that was said last wins, among sources of one kind; what was withdrawn is said anew. */
function saidLast(model: Model): void {
  const { fill } = model;
  model.fill = function (claim, observation, partial) {
    if (claim.returned === this.now && claim.goneWas?.withdrawn)
      Object.assign(claim, {
        name: null,
        type: null,
        parent: null,
        container: null,
        raw: {},
        words: {},
        specs: {},
        tags: [],
      });
    const { name, type } = claim;
    fill.call(this, claim, observation, partial);
    if (claim.name !== name) claim.since.ci_name = claim.at;
    if (claim.type !== type) claim.since.type = claim.at;
  };
}

/** Of two that stood beside each other and are of one age nobody knows which is the copy: neither takes the other's place. */
function copiesOfOneAge(model: Model): void {
  const { contradict } = model;
  model.contradict = function (one, other, level, context) {
    const madeAt = (id: string) => this.cis.get(id)?.made;
    const stood = (x: string, y: string) => madeAt(x) === madeAt(y) && this.stoodBeside(x, y);
    if (one !== other && one.cis.some((x) => other.cis.some((y) => stood(x, y)))) return true;
    return contradict.call(this, one, other, level, context);
  };
}

/** A measuring source that speaks outside of a reading, over 15 minutes later, lifts what a call retired. */
function measuredAgain(model: Model): void {
  const { observe } = model;
  const quarterOfAnHour = 15 * 60_000;
  model.observe = function (source, observation, at, by) {
    const ref = observe.call(this, source, observation, at, by);
    const claim = this.claims.get(ref);
    const id = this.live(claim?.ci ?? null);
    if (!claim || !measures(claim.kind) || !id || this.open.has(source)) return ref;
    for (const one of this.of(id))
      if (one.hidden && one.words.lifecycle === 'retired' && claim.at > (one.retiredAt ?? 0) + quarterOfAnHour)
        delete one.words.lifecycle;
    return ref;
  };
}

/** All that a source said is withdrawn, what it no longer said too; nothing of it is held for a person to look at. */
function withdrawnWhole(model: Model): void {
  const { withdraw } = model;
  model.withdraw = function (source) {
    this.suspicious.delete(source);
    const gone = [...this.claims.values()].filter((claim) => claim.source === source && claim.gone);
    for (const claim of gone)
      claim.gone = { ...(claim.gone as NonNullable<ModelClaim['gone']>), withdrawn: true, retired: true };
    withdraw.call(this, source);
    this.resolve(gone);
  };
}

/** What a person writes by id that is in force already, and not their word, is not claimed. */
function inForce(model: Model): void {
  const { put } = model;
  model.put = function (id, by, body) {
    const document = this.doc(id);
    const item = this.cis.get(id) as ModelItem;
    const isNews = ([key, value]: [string, unknown]): boolean => {
      if (value === null || value === 'maintenance') return false;
      if (key === 'ci_status') return document.lifecycle !== value;
      if (key === 'tags') return (value as string[]).some((tag) => !(document.tags as string[]).includes(tag));
      if (key === 'specs') return Object.entries(value as object).some((spec) => document.specs[spec[0]] !== spec[1]);
      return document[key] !== value;
    };
    if (!by.startsWith('manual:') || this.claims.has(`${by} ci:${id}`) || Object.entries(body).some(isNews))
      return put.call(this, id, by, body);
    for (const tag of (body.tags as string[] | undefined) ?? []) item.off.delete(tag);
    if (body.ci_status === 'maintenance') item.hold ??= { reason: 'api', by, until: null };
    if (body.ci_status === 'active' && item.hold?.reason === 'api') item.hold = null;
    return [];
  };
}

/** Who accepts a held reading takes nothing away that was heard again since. */
function heardSince(model: Model): void {
  const { accept } = model;
  model.accept = function (source) {
    const held = this.suspicious.get(source);
    for (const claim of this.claims.values())
      if (held && claim.source === source && claim.at > held.at) claim.seenPass = held.no;
    accept.call(this, source);
  };
}

/** A guest that is posted by itself is seen by what was said since it went missing, for as long as that is fresh. */
function postedOne(model: Model): void {
  const { observe, doc, sweep } = model;
  const day = 24 * 3_600_000;
  model.observe = function (source, observation, at, by) {
    const ref = `${source} ${observation.key}`;
    const heardBefore = this.claims.get(ref)?.at;
    observe.call(this, source, observation, at, by);
    const claim = this.claims.get(ref) as ModelClaim;
    const isLate = heardBefore !== undefined && Math.min(at ?? this.now, this.now) < heardBefore;
    if (!isLate) claim.isPosted = !this.open.has(source);
    return ref;
  };
  const isUnseen = (one: Model, claims: readonly ModelClaim[]) => {
    const gone = claims.filter((claim) => claim.kind === 'proxmox-api' && claim.gone);
    const since = Math.max(...gone.map((claim) => claim.gone?.since ?? 0));
    const sees = ({ kind, gone: isGone, isPosted, muted, at }: ModelClaim) =>
      kind === 'proxmox-api'
        ? !isGone && (!isPosted || (at >= since && one.now - at <= day))
        : kind === 'ansible' && !isGone && !muted && at > since && one.now - at <= 7 * day;
    return gone.length > 0 && !claims.some(sees) ? gone : undefined;
  };
  model.doc = function (id) {
    const document = doc.call(this, id);
    const all = this.of(id);
    const counting = all.filter(({ gone }) => !gone?.withdrawn);
    const gone = isUnseen(this, counting.some(({ hidden }) => !hidden) ? counting : all);
    if (!gone || document.absence !== null) return document;
    document.absence = gone.every((claim) => claim.gone?.retired) ? 'retired' : 'missing';
    const isRetired = document.lifecycle === 'retired' || document.absence === 'retired';
    document.ci_status = isRetired ? 'retired' : document.hold ? 'maintenance' : document.absence;
    return document;
  };
  model.sweep = function (at) {
    for (const [id, { tomb }] of this.cis) {
      const gone = tomb ? undefined : isUnseen(this, this.of(id));
      const due = gone?.filter(
        ({ gone: was }) => was && !was.retired && was.passes >= 3 && this.now - was.since >= day,
      );
      for (const claim of due ?? []) if (claim.gone) claim.gone.retired = true;
      if (due && due.length > 0) this.resolve(due);
    }
    sweep.call(this, at);
  };
}

/**
 * What an import calls an item is asked for as its name in the inventory, also where it had one already, and once; what
 * people asked for is granted before any rename is followed. What people had a say in follows none; but a name that they
 * did not ask for is no better in a merge than any other.
 */
function writtenNames(model: Model): void {
  const { giveNames } = model;
  model.giveNames = function () {
    const living = inOrderOfAge(this);
    const taken = new Set(living.flatMap((item) => item.name?.name ?? []));
    const wishes = new Map(living.map((item) => [item, wishOf(this.of(item.id))]));
    for (const [item, wish] of wishes) {
      if (!item.name || wish === undefined || item.asked === wish) continue;
      item.name = { ...item.name, by: item.name.name === wish ? 'people' : 'refused' };
      if (taken.has(wish)) continue;
      taken.delete(item.name.name);
      taken.add(wish);
      item.name = { name: wish, by: 'people', from: wish };
    }
    giveNames.call(this);
    for (const [item, wish] of wishes) {
      if (wish === undefined) continue;
      if (item.asked === undefined && item.name && item.name.name !== wish) item.name.by = 'refused';
      item.asked = wish;
    }
  };
}

function wishOf(claims: readonly ModelClaim[]): string | undefined {
  const imports = claims.filter(({ kind, gone }) => kind === 'import' && !gone);
  const [first] = imports.sort((a, b) => natural(a.ref, b.ref));
  return first?.name ?? undefined;
}

function inOrderOfAge(model: Model): ModelItem[] {
  const living = [...model.cis.values()].filter((item) => !item.tomb && model.of(item.id).length > 0);
  const first = (item: ModelItem) =>
    model
      .of(item.id)
      .map(({ ref }) => ref)
      .sort(natural)[0] as string;
  return living.sort((a, b) => a.made - b.made || natural(first(a), first(b)));
}

const natural = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });

/** The number in a name is the one that the item shows, else the one that its hypervisor gave it, and then anybody's. */
function shownNumber(model: Model): void {
  const { giveNames, of, doc } = model;
  let shown: Map<string, unknown> | undefined;
  model.of = function (id) {
    const claims = of.call(this, id);
    if (!shown) return claims;
    const vmid = shown.get(id);
    const [number] = claims.filter(({ specs }) => vmid !== undefined && specs.vmid === vmid);
    const first = number ?? claims.find(({ kind, ids }) => kind === 'proxmox-api' && ids.pve);
    return first ? [number ? { ...number, gone: null } : first, ...claims.filter((claim) => claim !== first)] : claims;
  };
  model.doc = function (id) {
    const numbers = shown;
    shown = undefined;
    const document = doc.call(this, id);
    shown = numbers;
    return document;
  };
  model.giveNames = function () {
    const items = [...this.cis.keys()].filter((id) => of.call(this, id).length > 0);
    shown = new Map(items.map((id) => [id, doc.call(this, id).specs.vmid]));
    giveNames.call(this);
    shown = undefined;
  };
}

/** A pin stands where nobody says anything. */
function pinAlone(model: Model): void {
  const { doc } = model;
  model.doc = function (id) {
    const document = doc.call(this, id);
    for (const [attribute, { value }] of Object.entries(this.cis.get(id)?.pins ?? {})) {
      if (!attribute.startsWith('specs.')) continue;
      document.specs[attribute.slice('specs.'.length)] = value;
      document.winners[attribute] = 'pin';
    }
    return document;
  };
}

/** A person who merges an item that is gone takes its claims along, though nobody speaks them any more. */
function mergeTakesAll(model: Model): void {
  const { live } = model;
  model.live = function (id, settledOnly) {
    let current = id;
    while (settledOnly && current) {
      const tomb = this.cis.get(current)?.tomb;
      if (!tomb || (tomb.at === this.now && !tomb.byPerson)) return current;
      current = tomb.to;
    }
    return live.call(this, current);
  };
}

/**
 * What was withdrawn has no word, and makes nothing missing, while any other claim stands on the item. An item of which
 * nobody speaks any more stands as it was said last, and none is without a name. Facts never rename, however long all
 * others are silent.
 */
function lastWordStands(model: Model): void {
  const { of, doc } = model;
  let isCounting = false;
  const counting = (claims: ModelClaim[]) => {
    const others = claims.filter(({ gone }) => !gone?.withdrawn);
    return others.some(({ hidden }) => !hidden) ? others : claims;
  };
  model.of = function (id) {
    return isCounting ? counting(of.call(this, id)) : of.call(this, id);
  };
  model.words = function (id) {
    const all = counting(of.call(this, id));
    const own = all.filter(({ muted, ghost }) => !muted && !ghost);
    const living = new Set(own.filter(({ gone }) => !gone).map(({ kind }) => kind));
    const speaking = own.filter(({ kind, gone }) => !gone || (measures(kind) && !living.has(kind)));
    return speaking.length > 0 ? speaking : formerWords(all);
  };
  const formerlyNamed = (one: Model, id: string) => formerWords(of.call(one, id).filter(({ name }) => name));
  model.doc = function (id) {
    const { discovered_by } = doc.call(this, id);
    isCounting = true;
    try {
      const document: ModelDocument = { ...doc.call(this, id), discovered_by };
      const named = this.words(id).filter(({ name }) => name);
      const outside = named.filter(({ kind }) => kind !== 'ansible');
      if (!this.cis.get(id)?.pins.ci_name)
        nameFrom(this, document, [outside, named].find(({ length }) => length > 0) ?? formerlyNamed(this, id));
      return document;
    } finally {
      isCounting = false;
    }
  };
}

function formerWords(claims: ModelClaim[]): ModelClaim[] {
  const unmuted = claims.filter(({ muted }) => !muted);
  const own = unmuted.filter(({ ghost }) => !ghost);
  return [own, unmuted].find(({ length }) => length > 0) ?? claims;
}

function nameFrom(model: Model, document: ModelDocument, claims: ModelClaim[]): void {
  const rank = ['manual', 'proxmox-api', 'terraform', 'import', 'ansible'];
  const winner = model.pick(claims, rank, ({ name }) => name, 'ci_name');
  document.ci_name = winner?.name ?? null;
  delete document.winners.ci_name;
  if (winner) document.winners.ci_name = winner.source;
}

/** A guest is where its cluster is, unless a person says otherwise; where nobody may say the site, it is the default one. */
function siteOfCluster(model: Model): void {
  const { doc } = model;
  model.doc = function (id) {
    const document = doc.call(this, id);
    const speaking = this.words(id);
    const numbered = speaking.filter(({ ids, kind }) => ids.pve || kind === 'manual' || kind === 'import');
    const among = speaking.some(({ ids }) => ids.pve) ? numbered : speaking;
    const rank = ['manual', 'import', 'terraform', 'proxmox-api'];
    const siteOf = ({ hidden, words, site }: ModelClaim) => (hidden ? (words.site_id as string | undefined) : site);
    const winner = this.pick(among, rank, siteOf, 'site_id');
    document.site_id = winner ? siteOf(winner) : this.defaultSite;
    return document;
  };
}

const measures = (kind: string) => kind === 'proxmox-api' || kind === 'ansible';

const attributes = [
  'ci_type',
  'ci_name',
  'ci_status',
  'power',
  'lifecycle',
  'generation',
  'environment',
  'role',
  'owner',
  'site_id',
  'absence',
  'discovered_by',
  'managed_by',
] as const;
const specs = ['node', 'vmid', 'cpu_cores', 'os', 'rack'] as const;
const won = ['ci_name', 'environment', 'role', 'power', 'specs.cpu_cores', 'specs.os'] as const;

/** What both say of a step, in one form. */
export interface Compared {
  partition: string[][];
  conflicts: { claim: string; candidates: string[] }[];
  alarms: Record<string, string>[];
  shared: string[];
  pass: string | undefined;
  documents: Record<string, Record<string, unknown>>;
}

export function comparedModel(seen: ModelSeen): Compared {
  const documents = Object.entries(seen.docs).map(([ref, doc]) => {
    const flat: Record<string, unknown> = { ...doc };
    for (const [key, value] of Object.entries(doc.specs)) flat[`specs.${key}`] = value;
    for (const [key, value] of Object.entries(doc.winners)) flat[`winner.${key}`] = value;
    return [ref, narrowed(flat)] as const;
  });
  const { partition, conflicts, alarms, shared, pass } = seen;
  return { partition, conflicts, alarms, shared, pass, documents: Object.fromEntries(documents) };
}

export function comparedStore(seen: Seen): Compared {
  const { partition, conflicts, alarms, shared, pass } = seen;
  const documents = Object.entries(seen.documents).map(([ref, doc]) => [ref, narrowed(doc)] as const);
  return { partition, conflicts, alarms, shared, pass, documents: Object.fromEntries(documents) };
}

function narrowed(doc: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = { tags: doc.tags };
  for (const attribute of attributes) out[attribute] = doc[attribute] ?? null;
  for (const key of specs) out[`specs.${key}`] = doc[`specs.${key}`] ?? null;
  for (const attribute of won) out[`winner.${attribute}`] = doc[`winner.${attribute}`] ?? null;
  // A name made of the id is another one in each play.
  out.ansible_name = String(doc.ansible_name).startsWith('ci-') ? 'ci-ID' : doc.ansible_name;
  return out;
}
