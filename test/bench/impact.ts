/** What a change to one item means, among ten thousand items with thirty thousand relationships that run in circles. */

import { seeded } from '../estates/run.ts';
import { type Service, startService } from './service.ts';
import { type Figure, median, milliseconds } from './table.ts';

const count = 10_000;
const relationshipsEach = 3;
const askings = 15;

interface Impact {
  directly_affected: unknown[];
  indirectly_affected: unknown[];
  cycles: unknown[];
  truncated: boolean;
}

export async function benchImpact(): Promise<Figure[]> {
  const service = await startService();
  const pass = JSON.stringify({ source: 'import:graph', complete: true, items: graph() });
  await service.call('POST', '/api/v1/passes', pass);
  // What a start and a reading leave to be done is none of what is measured: the backup is the last of it.
  while (!(await hasBackedUp(service))) await service.call('GET', '/api/v1/ci/n1/impact');
  const figures: Figure[] = [];
  for (const strength of ['weak', 'strong'] as const) {
    const times: number[] = [];
    const blocks: number[] = [];
    const processor: number[] = [];
    let affected = 0;
    let told = '';
    for (let asking = 0; asking < askings; asking += 1) {
      await service.probe('start');
      const path = `/api/v1/ci/n${asking * 7}/impact?min_strength=${strength}`;
      const { ms, body } = await service.call('GET', path);
      times.push(ms);
      const { longestBlockMs, cpuMs } = await service.probe('stop');
      blocks.push(longestBlockMs);
      processor.push(cpuMs);
      const impact = JSON.parse(body.toString()) as Impact;
      affected = Math.max(affected, impact.directly_affected.length + impact.indirectly_affected.length);
      told = `${(body.length / 2 ** 20).toFixed(1)} MiB, ${impact.cycles.length} circles${impact.truncated ? ', truncated' : ''}`;
    }
    const slowest = `processor ${milliseconds(median(processor))}, slowest ${milliseconds(Math.max(...times))}`;
    figures.push(
      {
        what: `impact of one of ${count} items with ${count * relationshipsEach} relationships, ${strength} and more: ${affected} affected, ${told} (${slowest})`,
        against: '',
        ours: milliseconds(median(times)),
        limit: '200 ms',
        isHeld: median(times) <= 200,
      },
      {
        what: `longest block of the event loop meanwhile (median ${milliseconds(median(blocks))})`,
        against: '',
        ours: milliseconds(Math.max(...blocks)),
        limit: '',
      },
    );
  }
  await service.end();
  return figures;
}

async function hasBackedUp(service: Service): Promise<boolean> {
  const { body } = await service.call('GET', '/api/v1/jobs/runs');
  const { items } = JSON.parse(body.toString()) as { items: { job: string; finished_at: string | null }[] };
  return items.some(({ job, finished_at }) => job === 'backup' && finished_at !== null);
}

/** Each hangs on one before it, so that much is reached, and on two of any place, so that there are circles. */
function graph() {
  const random = seeded(20_260_302);
  const pick = (most: number) => Math.floor(random() * most);
  const strengths = ['critical', 'critical', 'strong', 'strong', 'weak'];
  return Array.from({ length: count }, (_, at) => {
    const others = new Set([pick(Math.max(1, at)), pick(count), pick(count)]);
    while (others.has(at) || others.size < relationshipsEach) {
      others.delete(at);
      others.add(pick(count));
    }
    return {
      ci_name: `n${at}`,
      ci_type: 'virtual_machine',
      relationships: [...others].map((other) => ({
        relationship_type: pick(2) === 0 ? 'depends_on' : 'runs_on',
        relationship_strength: strengths[pick(strengths.length)],
        ci_name: `n${other}`,
      })),
    };
  });
}
