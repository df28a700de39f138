/** `rollcall jobs`: what runs by itself, when, and how it went. */

import { Command } from 'commander';
import { momentOf, note, printJson, printTable, styled } from './output.ts';
import { countsOf, type JobRun, runJob, tookOf } from './run-job.ts';
import { withClient } from './service.ts';

interface Job {
  name: string;
  schedule: string;
  next_run_at: string | null;
  running: string | null;
  last_run: JobRun | null;
  last_success_at: string | null;
}

const styles: Readonly<Record<string, Parameters<typeof styled>[0]>> = {
  running: 'cyan',
  good: 'green',
  partial: 'yellow',
  held: 'yellow',
  failed: 'red',
  interrupted: 'red',
};

export function jobsCommand(): Command {
  const command = new Command('jobs').description('what runs by itself: when, how it went, and running it now');
  command.addCommand(listCommand(), { isDefault: true });
  command.addCommand(runCommand());
  command.addCommand(logCommand());
  return command;
}

function listCommand(): Command {
  return new Command('list')
    .description('all jobs, when they run, and how they last went')
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExample:\n  rollcall jobs list')
    .action(async ({ json }: { json?: boolean }, self: Command) =>
      withClient(self, async (client, isAlone) => {
        const jobs = await client.list<Job>('/jobs');
        if (json) return printJson(jobs);
        printTable(
          ['JOB', 'SCHEDULE', 'NEXT RUN', 'LAST RUN', 'OUTCOME', 'LAST WENT WELL'],
          jobs.items.map((job) => [
            job.name,
            job.schedule,
            job.next_run_at && momentOf(job.next_run_at),
            job.last_run && momentOf(job.last_run.started_at),
            job.running === null ? job.last_run && inColour(job.last_run.outcome) : inColour('running'),
            job.last_success_at && momentOf(job.last_success_at),
          ]),
          'There are no jobs.',
        );
        if (isAlone) note('No service is running, so none of them runs by itself.');
      }),
    );
}

function runCommand(): Command {
  return new Command('run')
    .description('run a job now, whatever its schedule, and wait until it is done')
    .argument('<name>', 'its name, as "rollcall jobs list" shows it')
    .option('--no-wait', 'only begin it')
    .option('--json', 'the run, as the service answers it')
    .addHelpText(
      'after',
      '\nExit code: 0 done or already running, 1 failed, 2 done in part or held for a person.\n\nExamples:\n  rollcall jobs run backup\n  rollcall jobs run backup --no-wait',
    )
    .action(async (name: string, { wait, json }: { wait: boolean; json?: boolean }, self: Command) =>
      withClient(self, async (client, isAlone) => runJob(client, name, { noWait: !wait, json, isAlone })),
    );
}

function logCommand(): Command {
  return new Command('log')
    .description('how jobs went, the newest first')
    .argument('[name]', 'of this job alone')
    .option('--limit <number>', 'at most so many', '20')
    .option('--failed', 'those alone that failed or were interrupted')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      '\nOf "sweep", which runs every few minutes, only runs that changed something, failed or were asked for are kept.\n\nExamples:\n  rollcall jobs log\n  rollcall jobs log backup --limit 5\n  rollcall jobs log --failed',
    )
    .action(
      async (
        name: string | undefined,
        { limit, failed, json }: { limit: string; failed?: boolean; json?: boolean },
        self: Command,
      ) =>
        withClient(self, async (client) => {
          const query = { job: name, outcome: failed ? 'failed,interrupted' : undefined };
          const runs = await client.list<JobRun>('/jobs/runs', query, Number(limit));
          if (json) return printJson(runs);
          printTable(
            ['BEGUN', 'JOB', 'OUTCOME', 'TOOK', 'BY', 'WHAT IT DID'],
            runs.items.map((run) => [
              momentOf(run.started_at),
              run.job,
              inColour(run.outcome),
              tookOf(run),
              run.trigger,
              [run.error, countsOf(run)].filter(Boolean).join(' '),
            ]),
            failed ? 'None of the runs that are kept failed.' : 'No run is kept yet.',
          );
          if (runs.next !== null) note(`${runs.items.length} of ${runs.count} runs are shown; --limit shows more.`);
        }),
    );
}

function inColour(outcome: string): string {
  return styled(styles[outcome] ?? 'reset', outcome);
}
