/**
 * Loaded into the service's own process: how long its event loop was held, and how much memory it has. It counts
 * for one span, from `start` to `stop`, and answers each question over the channel to the bench.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';

export type Question = 'start' | 'look' | 'stop';

export interface Probed {
  longestBlockMs: number;
  /** Processor time of the span, of all threads. */
  cpuMs: number;
  residentMb: number;
  /** The most that it ever had. */
  peakMb: number;
}

const delay = monitorEventLoopDelay({ resolution: 1 });
let cpu = process.cpuUsage();

process.on('message', (question: Question) => {
  if (question === 'start') {
    delay.reset();
    delay.enable();
    cpu = process.cpuUsage();
  }
  const { user, system } = process.cpuUsage(cpu);
  const probed: Probed = {
    longestBlockMs: delay.max / 1e6,
    cpuMs: (user + system) / 1000,
    residentMb: process.memoryUsage.rss() / 2 ** 20,
    peakMb: process.resourceUsage().maxRSS / 2 ** 10,
  };
  if (question === 'stop') delay.disable();
  process.send?.(probed);
});
// A bench that broke off leaves no service behind.
process.once('disconnect', () => process.exit());
process.channel?.unref();
