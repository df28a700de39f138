/**
 * What befalls one item and what of it reaches those that are related to it: by which relationships, in which
 * direction, and how strong. Pure tables; impact.ts walks by them.
 */

import { type Strength, strengths } from './item.ts';

/** What is meant to happen to an item. Any other word is an outage, as `shutdown` is. */
export const changeTypes = ['reboot', 'shutdown', 'migrate', 'update', 'destroy', 'rotate_credential'] as const;
export type ChangeType = (typeof changeTypes)[number];

/**
 * Whom an outage at one end of a relationship hits: `item` has the relationship, and suffers from the `other` one that
 * it names; the other way round; either; or nobody.
 */
export const hitEnds = ['item', 'other', 'both', 'none'] as const;
export type HitEnd = (typeof hitEnds)[number];

export interface RelationshipRule {
  /** What the other item is to the one that has the relationship. */
  reverse: string | null;
  hits: HitEnd;
}

/** How much of a relationship's strength a change carries on at most: `critical` is all of it. */
export type Carried = Strength | 'none';

type Weights = Readonly<Record<ChangeType, Carried>>;

const all: Weights = {
  reboot: 'critical',
  shutdown: 'critical',
  migrate: 'critical',
  update: 'critical',
  destroy: 'critical',
  rotate_credential: 'critical',
};
/** A migrated machine pauses for a moment, and an update restarts what it touches. Its new secret has to be told. */
const needs: Weights = { ...all, migrate: 'weak', update: 'strong' };
/** What runs on it goes with it, down as well as to another place, and does not log in to it. */
const lives: Weights = { ...needs, rotate_credential: 'none' };
/** Where it is reached stays the same while it moves. */
const reaches: Weights = { ...needs, migrate: 'none' };
/** A whole that is worked on goes on by its other parts. */
const belongs: Weights = { ...all, migrate: 'none', update: 'weak', rotate_credential: 'none' };
const nothing: Weights = {
  reboot: 'none',
  shutdown: 'none',
  migrate: 'none',
  update: 'none',
  destroy: 'none',
  rotate_credential: 'none',
};

interface KnownType extends RelationshipRule {
  weights: Weights;
  /** A weaker one carries nothing, whatever is asked for. */
  fromStrength?: Strength;
}

/**
 * The field's own words. A whole takes its members with it and no member the whole, since the others carry on; who
 * connects to something suffers from it, and not the other way round: else a guest would take its network down.
 */
export const knownTypes: Readonly<Record<string, KnownType>> = {
  depends_on: { reverse: 'required_by', hits: 'item', weights: needs },
  runs_on: { reverse: 'hosts', hits: 'item', weights: lives },
  connects_to: { reverse: 'connected_from', hits: 'item', weights: reaches, fromStrength: 'strong' },
  member_of: { reverse: 'has_member', hits: 'item', weights: belongs },
  part_of: { reverse: 'contains', hits: 'item', weights: lives },
  required_by: { reverse: 'depends_on', hits: 'other', weights: needs },
  hosts: { reverse: 'runs_on', hits: 'other', weights: lives },
  contains: { reverse: 'part_of', hits: 'other', weights: lives },
  has_member: { reverse: 'member_of', hits: 'other', weights: belongs },
  backs_up: { reverse: 'backed_up_by', hits: 'none', weights: nothing },
  backed_up_by: { reverse: 'backs_up', hits: 'none', weights: nothing },
  provisioned_after: { reverse: 'provisioned_before', hits: 'none', weights: nothing },
};

/** A word of somebody's own is weighed as a need, unless the settings say otherwise. */
const ownType: KnownType = { reverse: null, hits: 'item', weights: needs };

export type RelationshipRules = Readonly<Record<string, { reverse?: string; hits?: HitEnd }>>;

/** How one change travels. */
export interface Carrying {
  ruleOf(type: string): RelationshipRule;
  /** The place in `strengths` of what such a relationship carries; undefined where it carries nothing. */
  rankOf(type: string, strength: Strength): number | undefined;
  /** Types by which whoever has the relationship hits the item that it names. */
  outward: readonly string[];
}

export function carryingOf(settings: RelationshipRules, changeType: string | null): Carrying {
  const types = typesOf(settings);
  const change = changeTypes.find((known) => known === changeType) ?? 'shutdown';
  const typeOf = (type: string) => types.get(type) ?? ownType;
  return {
    ruleOf: typeOf,
    rankOf(type, strength) {
      const { hits, weights, fromStrength = 'weak' } = typeOf(type);
      const own = strengths.indexOf(strength);
      const most = weights[change];
      if (hits === 'none' || most === 'none' || own > strengths.indexOf(fromStrength)) return undefined;
      return Math.max(own, strengths.indexOf(most));
    },
    outward: [...types].flatMap(([type, { hits }]) => (hits === 'other' || hits === 'both' ? [type] : [])),
  };
}

export interface ToldType extends RelationshipRule {
  /** Null: any other word. */
  relationship_type: string | null;
  carries: Weights;
}

/** All types of which something is known, for whoever wants to read it. */
export function toldTypes(settings: RelationshipRules): ToldType[] {
  const told = [...typesOf(settings)].map(([relationship_type, { reverse, hits, weights }]) => ({
    relationship_type,
    reverse,
    hits,
    carries: hits === 'none' ? nothing : weights,
  }));
  const { reverse, hits, weights } = ownType;
  return [...told, { relationship_type: null, reverse, hits, carries: weights }];
}

/** A direction that the settings give to a type of which nothing is to be carried makes it a need. */
function typesOf(settings: RelationshipRules): Map<string, KnownType> {
  const types = new Map(Object.entries(knownTypes));
  for (const [type, { reverse, hits }] of Object.entries(settings)) {
    const known = types.get(type) ?? ownType;
    const weights = known.hits === 'none' ? needs : known.weights;
    types.set(type, { ...known, weights, reverse: reverse ?? known.reverse, hits: hits ?? known.hits });
  }
  return types;
}
