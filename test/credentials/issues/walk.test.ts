/** Whatever happens in whatever order: after two calm runs there is one open issue for each that needs one, and no other. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { needOf } from '../../../src/credentials/issues/need.ts';
import { listIssues } from '../../../src/credentials/issues/store.ts';
import { listCredentials } from '../../../src/credentials/store.ts';
import type { SimFault } from '../../sims/github-sim.mjs';
import { type Bare, doer, startBare } from './bare.ts';
import { act, openIn } from './world.ts';

const isLong = process.env.ROLLCALL_LONG !== undefined;
const walks = isLong ? 300 : 8;
const names = ['one', 'two', 'three'];

const faults: SimFault[] = [
  ...(['commit-then-502', 'commit-then-reset', 'reset', 'bad-json'] as const).map((action) => ({
    method: 'POST',
    path: '/(issues|comments)$',
    action,
  })),
  { method: 'PATCH', action: 'commit-then-502' },
  { method: 'GET', path: '/issues\\?', action: 'bad-json' },
  { method: 'GET', path: '/comments', action: 'reset' },
  { path: '/labels', action: 'status', status: 502 },
  { action: 'secondary', retryAfter: 90 },
  { method: 'POST', path: '/issues$', action: 'status', status: 200, raw: '<html>' },
];

const one = fc.constantFrom(...names);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), days: fc.integer({ min: 1, max: 20 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('rotate' as const), one, days: fc.integer({ min: 1, max: 60 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('move' as const), one, days: fc.integer({ min: -20, max: 40 }) }),
  },
  fc.record({ do: fc.constantFrom('snooze' as const, 'waive' as const), one, days: fc.nat(10) }),
  fc.record({ do: fc.constant('state' as const), one, to: fc.constantFrom('active', 'compromised', 'planned') }),
  fc.record({ do: fc.constantFrom('close' as const, 'delete' as const, 'unmark' as const), nth: fc.nat(5) }),
  // Where it is met: in the check or soon after.
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('fault' as const), fault: fc.constantFrom(...faults), skip: fc.nat(2) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('check' as const, 'check' as const, 'follow' as const, 'die' as const),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(world: Bare, taken: Step): Promise<void> {
  const { sim, now } = world;
  const day = (days: number) => now().toZonedDateTimeISO('UTC').toPlainDate().add({ days }).toString();
  world.pass({ seconds: 1 });
  if (taken.do === 'pass') world.pass({ hours: 24 * taken.days });
  else if (taken.do === 'rotate')
    await world.records().rotated(taken.one, { next_rotation_due: day(taken.days) }, doer);
  else if (taken.do === 'move') await world.records().alter(taken.one, { next_rotation_due: day(taken.days) }, doer);
  else if (taken.do === 'state')
    await world.records().alter(taken.one, { lifecycle_state: taken.to as 'active' }, doer);
  else if (taken.do === 'snooze' || taken.do === 'waive') {
    const what = taken.do === 'snooze' ? 'snooze' : 'waiver';
    await world.records().putOff(taken.one, what, { until: day(taken.days), reason: 'moving' }, doer);
  } else if (taken.do === 'fault') {
    sim.addFault({ ...taken.fault, skip: taken.skip });
    await world.check();
  } else if ('nth' in taken) {
    const open = openIn(sim);
    const number = open[taken.nth % open.length];
    if (number === undefined) return;
    if (taken.do === 'delete') await act(sim, 'DELETE', `/issues/${number}`, {});
    else await act(sim, 'PATCH', `/issues/${number}`, taken.do === 'close' ? { state: 'closed' } : { body: 'gone' });
  } else await world[taken.do]();
}

/** Whose issue stands open, by what is known here; and how many are open in all. */
async function standing({ parts, sim }: Bare) {
  const { store, today } = parts();
  const rows = await listIssues(store.read);
  const open = openIn(sim);
  const credentials = await listCredentials(store.read);
  const wanted: string[] = [];
  const found: string[] = [];
  for (const credential of credentials) {
    const need = needOf(credential, today());
    const own = rows.filter(({ credential_id }) => credential_id === credential.credential_id);
    const isLeft = own.some(({ state, cycle }) => state === 'left' && cycle === need?.cycle);
    const marked = sim
      .issues()
      .filter(({ number, body }) => open.includes(number) && body?.includes(credential.credential_id));
    // Snoozed, it may have one or not.
    if (need?.isSnoozed ? marked.length > 0 : need && !isLeft) wanted.push(credential.credential_name);
    found.push(...marked.map(() => credential.credential_name));
  }
  return { wanted, found, open: open.length };
}

/** None is opened a second time that nobody deleted, and none is opened again twice. */
function refuseTwins({ sim }: Bare): void {
  const [repository] = sim.state.repos.values();
  const issues = sim.issues();
  const comments = [...(repository?.comments.values() ?? [])];
  for (const name of names) {
    const own = issues.filter(({ title }) => title === `Rotate credential: ${name}`).map(({ number }) => number);
    const deleted = own.filter((number) => repository?.issues.get(number)?.deleted);
    const sent = sim.log
      .filter(({ method, path }) => method === 'POST' && path.endsWith('/issues'))
      .map(({ body }) => body as { title: string; body: string })
      .filter(({ title }) => title.endsWith(`: ${name}`));
    const cycles = new Set(sent.map(({ body }) => /cycle=(\S+)/.exec(body)?.[1]));
    // What was rotated may be due again on a day that it was due on before.
    const rotated = comments.filter(({ issue, body }) => own.includes(issue) && /said=\S+:rotated:/.test(body));
    expect(own.length, `issues of ${name}`).toBeLessThanOrEqual(cycles.size + deleted.length + rotated.length);
    expect(openIn(sim).filter((number) => own.includes(number)).length).toBeLessThanOrEqual(1);
    for (const number of own) {
      const said = comments
        .filter(({ issue }) => issue === number)
        .flatMap(({ body }) => body.match(/rollcall:said=\S+/g));
      expect(said, `said in ${number}`).toEqual([...new Set(said)]);
    }
  }
}

test('issues are as they are needed', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const world = await startBare({ answerMs: 150 });
      try {
        for (const [index, credential_name] of names.entries())
          await world
            .records()
            .add({ credential_name, credential_type: 'token', next_rotation_due: `2026-03-0${index + 3}` }, doer);
        for (const taken of steps) {
          await take(world, taken);
          refuseTwins(world);
        }
        world.sim.clearFaults();
        world.pass({ minutes: 5 });
        await world.check();
        const last = await world.check();

        const { wanted, found, open } = await standing(world);
        expect({ last, found, open }).toEqual({
          last: expect.objectContaining({ outcome: 'good' }),
          found: wanted,
          open: wanted.length,
        });
      } finally {
        await world.close();
      }
    }),
    { numRuns: walks, seed: 20_260_302 },
  );
});
