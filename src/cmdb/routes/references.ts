/** How many changes name the work item that they were done for: for the API, and for the figures of the service. */

import { Type } from 'typebox';
import { orNull } from '../../check.ts';
import { type Endpoint, endpoint } from '../../http/endpoint.ts';
import type { Figures } from '../../http/metrics.ts';
import type { ReadDb, Store } from '../../store/open.ts';
import { type Clock, stamp } from '../../time.ts';
import { type Requirement, requirements, wantedOf } from '../references.ts';
import { countReferred, listReferenceRules, type ReferredCount } from '../store/changes.ts';

const usualDays = 7;

const counts = {
  given: Type.Integer({ description: 'named in the call' }),
  standing: Type.Integer({ description: 'by one that stands for all that the source or token does' }),
  none: Type.Integer(),
  share: orNull(Type.Number({ description: 'of those with a reference, from 0 to 1; null where there is no change' })),
};

export function referencesEndpoint(store: Store, clock: Clock): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/changes/references',
    scope: 'changes:read',
    tag: 'changes',
    summary: 'How many changes of the last days name an issue, in all and by source',
    query: Type.Object({
      days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650, description: `${usualDays} unless told` })),
    }),
    answers: {
      200: Type.Object({
        since: Type.String(),
        ...counts,
        sources: Type.Array(
          Type.Object({
            source: Type.String(),
            required: Type.Enum([...requirements], { description: 'off: it does not count in all' }),
            ...counts,
          }),
        ),
      }),
    },
    async handle({ query: { days = usualDays } }) {
      const since = stamp(clock().subtract({ hours: 24 * days }));
      const sources = await counted(store.read, since);
      return [200, { since, ...summed(sources), sources: sources.map((one) => ({ ...one, share: shareOf(one) })) }];
    },
  });
}

/** Of the last seven days. */
export function referenceFigures(store: Store, clock: Clock): Figures[] {
  const count = async () => summed(await counted(store.read, stamp(clock().subtract({ hours: 24 * usualDays }))));
  // Both are asked for at one time, and counted once.
  let asked: ReturnType<typeof count> | undefined;
  const referred = () => {
    asked ??= count().finally(() => {
      asked = undefined;
    });
    return asked;
  };
  return [
    {
      name: 'rollcall_changes',
      help: 'Changes of the last seven days, by the issue that they name: given, standing, none',
      label: 'reference',
      async read() {
        const { given, standing, none } = await referred();
        return { given, standing, none };
      },
    },
    {
      name: 'rollcall_changes_referred_ratio',
      help: 'Share of the changes of the last seven days that name an issue',
      async read(): Promise<Record<string, number>> {
        const { share } = await referred();
        return share === null ? {} : { share };
      },
    },
  ];
}

interface Counted {
  given: number;
  standing: number;
  none: number;
}

/** With what is wanted of each source. */
async function counted(db: ReadDb, since: string): Promise<(ReferredCount & { required: Requirement })[]> {
  const rules = await listReferenceRules(db);
  const sources = await countReferred(db, since);
  return sources.map((one) => ({ ...one, required: wantedOf(one.source, rules).requirement }));
}

/** What time alone brings about names none, and is not asked to. */
function summed(sources: readonly (Counted & { required: Requirement })[]): Counted & { share: number | null } {
  const total = { given: 0, standing: 0, none: 0 };
  for (const source of sources)
    if (source.required !== 'off') for (const key of ['given', 'standing', 'none'] as const) total[key] += source[key];
  return { ...total, share: shareOf(total) };
}

function shareOf({ given, standing, none }: Counted): number | null {
  const all = given + standing + none;
  return all === 0 ? null : (given + standing) / all;
}
