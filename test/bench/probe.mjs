/**
 * Loaded into the service's own process: how long its event loop was held, and how much memory it has. It counts
 * for one span, from `start` to `stop`, and answers each question over the channel to the bench. In plain JavaScript:
 * to take the types off one file, Node would load what a service that was started before does not have in memory.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 1 });
let cpu = process.cpuUsage();

process.on('message', (question) => {
  if (question === 'start') {
    delay.reset();
    delay.enable();
    cpu = process.cpuUsage();
  }
  const { user, system } = process.cpuUsage(cpu);
  const probed = {
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
