/**
 * Paths through what hits what, from one start: a path is as strong as its weakest edge, the strongest path to
 * a place counts, and of equally strong ones a shortest. And the circles that are in it. Pure but for turns.
 */

import { turn } from '../store/turn.ts';

/** An edge: the place that is hit, how strong (0 is the strongest), and how it is told. */
export interface Hit<Step> {
  to: number;
  rank: number;
  step: Step;
}

/** By place, whom it hits. The start is place 0. */
export type Hits<Step> = readonly (readonly Hit<Step>[])[];

export interface Reached<Step> {
  place: number;
  rank: number;
  hops: number;
  tree: Tree<Step>;
}

/** The shortest ways by edges of one strength and more. */
export interface Tree<Step> {
  /** By place, from where it is reached first, and how that is told. */
  from: Int32Array;
  by: readonly (Step | undefined)[];
}

const turnEach = 512;

/** All that is reached by edges up to that rank: the strongest first, then the nearest. */
export async function strongestPaths<Step>(hits: Hits<Step>, weakest: number): Promise<Reached<Step>[]> {
  const reached: Reached<Step>[] = [];
  const isReached = new Uint8Array(hits.length);
  isReached[0] = 1;
  for (let rank = 0; rank <= weakest; rank += 1) {
    const { tree, order, hops } = await breadthFirst(hits, rank);
    for (const place of order) {
      if (isReached[place]) continue;
      isReached[place] = 1;
      reached.push({ place, rank, hops: hops[place] as number, tree });
    }
  }
  return reached;
}

/** The steps from the start to that place. */
export function pathTo<Step>({ place, hops, tree: { from, by } }: Reached<Step>): Step[] {
  const path: Step[] = Array(hops);
  for (let at = place, step = hops - 1; step >= 0; step -= 1) {
    path[step] = by[at] as Step;
    at = from[at] as number;
  }
  return path;
}

async function breadthFirst<Step>(hits: Hits<Step>, rank: number) {
  const from = new Int32Array(hits.length).fill(-1);
  const hops = new Int32Array(hits.length);
  const by: (Step | undefined)[] = Array(hits.length).fill(undefined);
  const order = [0];
  from[0] = 0;
  for (let next = 0; next < order.length; next += 1) {
    const place = order[next] as number;
    for (const hit of hits[place] as readonly Hit<Step>[]) {
      if (hit.rank > rank || from[hit.to] !== -1) continue;
      from[hit.to] = place;
      by[hit.to] = hit.step;
      hops[hit.to] = (hops[place] as number) + 1;
      order.push(hit.to);
    }
    if (next % turnEach === 0) await turn();
  }
  return { tree: { from, by }, order, hops };
}

/**
 * One circle for each knot of places that hit each other in turn: a shortest one through the place of the knot that
 * comes first. Each step leads to the next place, and the last one back to the first.
 */
export async function circlesIn<Step>(hits: Hits<Step>): Promise<Step[][]> {
  const circles: Step[][] = [];
  for (const knot of await knotsIn(hits)) {
    const first = knot.reduce((a, b) => Math.min(a, b));
    circles.push(circleThrough(first, new Set(knot), hits));
    await turn();
  }
  return circles;
}

function circleThrough<Step>(start: number, members: ReadonlySet<number>, hits: Hits<Step>): Step[] {
  const from = new Map<number, { place: number; by: Step }>();
  const order = [start];
  for (const place of order) {
    for (const hit of hits[place] as readonly Hit<Step>[]) {
      if (!members.has(hit.to) || from.has(hit.to)) continue;
      from.set(hit.to, { place, by: hit.step });
      if (hit.to !== start) order.push(hit.to);
    }
    if (from.has(start)) break;
  }
  const circle: Step[] = [];
  let at = start;
  do {
    const step = from.get(at) as { place: number; by: Step };
    circle.push(step.by);
    at = step.place;
  } while (at !== start);
  return circle.reverse();
}

/** Tarjan's strongly connected components of two places and more, without recursion: a chain may be long. */
async function knotsIn<Step>(hits: Hits<Step>): Promise<number[][]> {
  const knots: number[][] = [];
  const index = new Int32Array(hits.length).fill(-1);
  const low = new Int32Array(hits.length);
  const edge = new Int32Array(hits.length);
  const isOpen = new Uint8Array(hits.length);
  const open: number[] = [];
  let count = 0;
  const enter = (place: number, trail: number[]) => {
    index[place] = count;
    low[place] = count;
    count += 1;
    isOpen[place] = 1;
    open.push(place);
    trail.push(place);
  };
  // All of it is reached from the start.
  const trail: number[] = [];
  enter(0, trail);
  for (let steps = 1; trail.length > 0; steps += 1) {
    if (steps % turnEach === 0) await turn();
    const place = trail.at(-1) as number;
    const hit = (hits[place] as readonly Hit<Step>[])[edge[place] as number];
    if (hit) {
      edge[place] = (edge[place] as number) + 1;
      if (index[hit.to] === -1) enter(hit.to, trail);
      else if (isOpen[hit.to]) low[place] = Math.min(low[place] as number, index[hit.to] as number);
      continue;
    }
    trail.pop();
    const before = trail.at(-1);
    if (before !== undefined) low[before] = Math.min(low[before] as number, low[place] as number);
    if (low[place] !== index[place]) continue;
    const knot = open.splice(open.lastIndexOf(place));
    for (const member of knot) isOpen[member] = 0;
    if (knot.length > 1) knots.push(knot);
  }
  return knots.reverse();
}
