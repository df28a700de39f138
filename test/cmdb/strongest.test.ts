/** Strongest paths and circles on random graphs, against searches that are plain and slow. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { circlesIn, type Hit, pathTo, strongestPaths } from '../../src/cmdb/strongest.ts';

interface Edge {
  by: number;
  to: number;
  rank: number;
}

const most = 14;
const graph = fc
  .array(fc.record({ by: fc.nat(most - 1), to: fc.nat(most - 1), rank: fc.nat(2) }), { maxLength: 40 })
  .map((edges) => {
    const hits: Hit<Edge>[][] = Array.from({ length: most }, () => []);
    for (const { by, to, rank } of edges) if (by !== to) hits[by]?.push({ to, rank, step: { by, to, rank } });
    return hits;
  });

/** Hops to each place by edges up to that rank. */
function plainSearch(hits: readonly Hit<unknown>[][], start: number, rank: number): Map<number, number> {
  const hops = new Map([[start, 0]]);
  for (const [place, far] of hops)
    for (const hit of hits[place] ?? []) if (hit.rank <= rank && !hops.has(hit.to)) hops.set(hit.to, far + 1);
  return hops;
}

test('the strongest path wins, then the shortest, as a plain search at each strength finds them', async () => {
  await fc.assert(
    fc.asyncProperty(graph, fc.nat(2), async (hits, weakest) => {
      const expected = new Map<number, [rank: number, hops: number]>();
      for (let rank = 0; rank <= weakest; rank += 1)
        for (const [place, hops] of plainSearch(hits, 0, rank))
          if (place !== 0 && !expected.has(place)) expected.set(place, [rank, hops]);

      const reached = await strongestPaths(hits, weakest);

      expect(new Map(reached.map(({ place, rank, hops }) => [place, [rank, hops]]))).toEqual(expected);
      expect(reached.length).toBe(expected.size);
      for (const one of reached) {
        const path = pathTo(one);
        expect([0, ...path.map(({ to }) => to)].slice(0, -1)).toEqual(path.map(({ by }) => by));
        expect([path.at(-1)?.to, path.length]).toEqual([one.place, one.hops]);
        expect(Math.max(...path.map(({ rank }) => rank))).toBe(one.rank);
      }
    }),
    { numRuns: 500 },
  );
});

test('there is a circle for each knot of places that reach each other, and it is a shortest one through its first', async () => {
  await fc.assert(
    fc.asyncProperty(graph, async (hits) => {
      const seen = plainSearch(hits, 0, 2);
      const reach = new Map([...seen.keys()].map((place) => [place, plainSearch(hits, place, 2)]));
      const knotOf = (place: number) =>
        [...seen.keys()]
          .filter((other) => reach.get(place)?.has(other) && reach.get(other)?.has(place))
          .sort((a, b) => a - b);
      const knots = new Set([...seen.keys()].map(knotOf).flatMap((knot) => (knot.length > 1 ? [knot.join()] : [])));

      const circles = await circlesIn(hits);

      expect(new Set(circles.map((circle) => knotOf(circle.at(-1)?.to as number).join()))).toEqual(knots);
      expect(circles.length).toBe(knots.size);
      for (const circle of circles) {
        const start = circle.at(-1)?.to as number;
        expect(circle.map(({ by }) => by)).toEqual(circle.map((_, at) => (at === 0 ? start : circle[at - 1]?.to)));
        const back = hits.flatMap((list, by) =>
          list.some(({ to }) => to === start) && reach.get(start)?.has(by)
            ? [(reach.get(start)?.get(by) ?? 0) + 1]
            : [],
        );
        expect([start, circle.length]).toEqual([Math.min(...knotOf(start)), Math.min(...back)]);
      }
    }),
    { numRuns: 300 },
  );
});

test('a chain of a hundred thousand is no deeper than a stack may be', async () => {
  const length = 100_000;
  const hits = Array.from({ length }, (_, place) => [{ to: (place + 1) % length, rank: 0, step: place }]);

  expect((await strongestPaths(hits, 0)).at(-1)).toMatchObject({ place: length - 1, hops: length - 1 });
  expect((await circlesIn(hits)).map((circle) => circle.length)).toEqual([length]);
});
