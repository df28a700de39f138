/** When jobs run: cron's five fields in the zone of the settings, and what was missed while no process was running. */

import schedule from 'node-schedule';
import { StartError } from '../errors.ts';
import { millisecondsOf } from '../time.ts';

export const off = 'off';

/** Throws StartError for what is not five fields or never comes. */
export function refuseSchedule(name: string, when: string): void {
  // Cron itself has no seconds.
  const isCron = when.trim().split(/\s+/).length === 5;
  if (!isCron || nextRun(when, 'UTC') === undefined)
    throw new StartError(
      `jobs.${name}.schedule: ${JSON.stringify(when)} is not cron's five fields, such as "20 3 * * *", nor off.`,
    );
}

/** The next moment of a schedule, from now on or after another one; undefined where none comes. */
function nextRun(when: string, timeZone: string, after?: Date): Date | undefined {
  const rule = { rule: when, tz: timeZone, ...(after ? { start: after } : {}) };
  const asked = schedule.scheduleJob(rule, () => undefined);
  // The library's dates are of a kind of its own.
  const next = asked?.nextInvocation();
  asked?.cancel();
  return next ? new Date(next.getTime()) : undefined;
}

/** The distance between the next two runs. */
export function periodMilliseconds(when: string, timeZone: string): number {
  const first = nextRun(when, timeZone);
  const second = first && nextRun(when, timeZone, first);
  return first && second ? second.getTime() - first.getTime() : Number.POSITIVE_INFINITY;
}

/**
 * Whether a run was missed: the last one that went well began longer ago than the period. What began after now began
 * before the clock was set back, and says nothing.
 */
export function isOverdue(lastSuccess: string | undefined, period: number, now: Temporal.Instant): boolean {
  if (lastSuccess === undefined) return true;
  const age = now.epochMilliseconds - millisecondsOf(lastSuccess);
  return age < 0 || age > period;
}

export interface Timetable {
  nextRunOf(name: string): Date | undefined;
  stop(): void;
}

const lookEveryMilliseconds = 60_000;

/** Calls back at the moments of each schedule, by name, until it is stopped. */
export function openTimetable(
  schedules: ReadonlyMap<string, string>,
  timeZone: string,
  isTime: (name: string) => void,
): Timetable {
  const set = () =>
    new Map(
      Array.from(schedules, ([name, rule]) => [
        name,
        schedule.scheduleJob(name, { rule, tz: timeZone }, () => isTime(name)),
      ]),
    );
  let timers = set();
  const cancel = () => {
    for (const timer of timers.values()) timer?.cancel();
  };
  // The moments that the library waits for are fixed: after the clock was set back they would be long in coming.
  let seen = Date.now();
  const look = setInterval(() => {
    const now = Date.now();
    if (now < seen) {
      cancel();
      timers = set();
    }
    seen = now;
  }, lookEveryMilliseconds).unref();
  return {
    nextRunOf(name) {
      const next = timers.get(name)?.nextInvocation();
      return next ? new Date(next.getTime()) : undefined;
    },
    stop() {
      clearInterval(look);
      cancel();
    },
  };
}
