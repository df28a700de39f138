/**
 * The calls of the callback plugin. Every released plugin works with the newest service: what is not known is ignored,
 * and what it does not send yet is left out.
 */

import { type Static, Type } from 'typebox';
import { orNull } from '../check.ts';

/** In the order of the numbers under which they are stored. */
export const statuses = ['ok', 'changed', 'failed', 'unreachable', 'skipped', 'ignored'] as const;
export type Status = (typeof statuses)[number];

export const outcomes = ['ok', 'failed', 'unreachable', 'interrupted'] as const;

const mostText = 10_000;
const text = Type.String({ maxLength: mostText });
const optional = Type.Optional(orNull(text));
const flag = Type.Optional(orNull(Type.Boolean()));
const whole = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 });
const time = Type.String({ maxLength: 100, description: 'a time with its zone' });
const words = Type.Optional(orNull(Type.Array(text, { maxItems: 1000 })));

export const RunBody = Type.Object({
  playbook: Type.String({
    maxLength: mostText,
    description: 'its path within its repository; without one, as it was called',
  }),
  path: Type.Optional(orNull(Type.String({ maxLength: mostText, description: 'of the playbook on the controller' }))),
  started_at: time,
  ansible_version: optional,
  shim_version: optional,
  user: optional,
  controller: Type.Optional(orNull(Type.String({ maxLength: mostText, description: 'the name of its host' }))),
  origin: Type.Optional(
    orNull(
      Type.Object({
        kind: Type.String({ maxLength: 100, description: 'such as terminal, cron or github-actions' }),
        url: optional,
      }),
    ),
  ),
  check: flag,
  diff: flag,
  limit: optional,
  tags: words,
  skip_tags: words,
  git: Type.Optional(orNull(Type.Object({ repo: optional, commit: optional, branch: optional, dirty: flag }))),
  change_ref: Type.Optional(orNull(Type.String({ maxLength: mostText, description: 'such as owner/repo#123' }))),
  inventory_version: Type.Optional(
    orNull(Type.String({ maxLength: 100, description: 'rollcall_inventory_version of the inventory that it read' })),
  ),
});
export type RunBody = Static<typeof RunBody>;

const Task = Type.Object({
  task_id: Type.String({ minLength: 1, maxLength: 200 }),
  name: text,
  action: text,
  path: optional,
  line: Type.Optional(orNull(whole)),
  tags: words,
  handler: flag,
});

const Result = Type.Object({
  n: Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1, description: 'counts within the run' }),
  task_id: Type.String({ minLength: 1, maxLength: 200 }),
  host: Type.String({ minLength: 1, maxLength: mostText }),
  ci_id: Type.Optional(orNull(Type.String({ maxLength: 100, description: 'as the inventory gave it out' }))),
  status: Type.Enum([...statuses]),
  started_at: time,
  duration_ms: whole,
  attempts: Type.Optional(
    orNull(Type.Array(Type.Object({ n: whole, at: Type.Optional(orNull(time)), msg: optional }), { maxItems: 10_000 })),
  ),
  msg: optional,
  items: Type.Optional(
    orNull(Type.Array(Type.Object({ n: whole, status: text, msg: optional }), { maxItems: 100_000 })),
  ),
  diff: Type.Optional(Type.Unknown()),
  delegated_to: optional,
});

export const PartBody = Type.Object({
  number: Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'of the play within the run' }),
  name: text,
  started_at: time,
  finished_at: Type.Optional(orNull(time)),
  tasks: Type.Array(Task, { description: 'every task of the results of this part' }),
  results: Type.Array(Result),
  facts: Type.Optional(
    orNull(
      Type.Array(
        Type.Object({
          host: Type.String({ minLength: 1, maxLength: mostText }),
          ci_id: Type.Optional(orNull(Type.String({ maxLength: 100 }))),
          facts: Type.Record(Type.String(), Type.Unknown(), { description: "by Ansible's names" }),
        }),
      ),
    ),
  ),
});
export type PartBody = Static<typeof PartBody>;

export const StatsBody = Type.Object({
  finished_at: time,
  outcome: Type.Enum([...outcomes]),
  hosts: Type.Record(
    Type.String(),
    Type.Object({
      ok: whole,
      changed: whole,
      failures: whole,
      unreachable: whole,
      skipped: whole,
      rescued: whole,
      ignored: whole,
    }),
  ),
});
export type StatsBody = Static<typeof StatsBody>;

export type Counts = StatsBody['hosts'][string];
export const countKeys = ['ok', 'changed', 'failures', 'unreachable', 'skipped', 'rescued', 'ignored'] as const;

const nullable = orNull(Type.String());
const number = Type.Integer();
export const CountsOnTheWire = Type.Object(Object.fromEntries(countKeys.map((key) => [key, number])), {
  title: 'RunCounts',
});

const runProperties = {
  run_id: Type.String(),
  playbook: nullable,
  path: nullable,
  outcome: Type.Enum(['running', ...outcomes]),
  started_at: Type.String(),
  finished_at: nullable,
  duration_s: orNull(Type.Number({ description: 'from start to end; null while it runs' })),
  check: orNull(Type.Boolean()),
  diff: orNull(Type.Boolean()),
  limit: nullable,
  tags: Type.Array(Type.String()),
  skip_tags: Type.Array(Type.String()),
  git: Type.Object({ repo: nullable, commit: nullable, branch: nullable, dirty: orNull(Type.Boolean()) }),
  user: nullable,
  controller: nullable,
  ansible_version: nullable,
  shim_version: nullable,
  origin: Type.Object({ kind: nullable, url: nullable }),
  change_ref: nullable,
  inventory_version: nullable,
  token_name: Type.String({ description: 'of the token that reported it' }),
  results_kept: Type.Boolean({ description: 'false once only the totals are left' }),
};

export const RunOnTheWire = Type.Object(
  {
    ...runProperties,
    totals: CountsOnTheWire,
    host_count: number,
    unknown_hosts: Type.Integer({ description: 'hosts that the inventory did not give out' }),
  },
  { title: 'Run' },
);

export const WholeRunOnTheWire = Type.Object(
  {
    ...RunOnTheWire.properties,
    plays: Type.Array(
      Type.Object({
        play_id: Type.String(),
        number,
        name: Type.String(),
        started_at: Type.String(),
        finished_at: nullable,
        tasks: Type.Array(
          Type.Object({
            task_id: Type.String(),
            name: Type.String(),
            action: Type.String(),
            path: nullable,
            line: orNull(number),
            tags: Type.Array(Type.String()),
            handler: Type.Boolean(),
            duration_s: Type.Number({ description: 'from its first start on a host to its last end' }),
          }),
        ),
      }),
    ),
    hosts: Type.Record(
      Type.String(),
      Type.Object({ ci_id: nullable, known: Type.Boolean(), ...CountsOnTheWire.properties }),
    ),
    matrix: Type.Record(Type.String(), Type.String(), {
      description:
        'by host, one letter for each task in the order of the plays: o ok, c changed, f failed, u unreachable, s skipped, i ignored, . none',
    }),
  },
  { title: 'WholeRun' },
);

export const ResultOnTheWire = Type.Object(
  {
    n: number,
    host: Type.String(),
    ci_id: nullable,
    play_id: Type.String(),
    task_id: Type.String(),
    task_name: Type.String(),
    action: Type.String(),
    path: nullable,
    line: orNull(number),
    handler: Type.Boolean(),
    status: Type.Enum([...statuses]),
    started_at: Type.String(),
    duration_ms: number,
    msg: nullable,
    attempts: Type.Array(Type.Unknown()),
    items: Type.Array(Type.Unknown()),
    diff: Type.Unknown(),
    delegated_to: nullable,
  },
  { title: 'RunResult' },
);

const differences = Type.Array(
  Type.Object({ name: Type.String(), before: Type.Unknown(), after: Type.Unknown() }, { title: 'Difference' }),
);
const names = Type.Array(Type.String());

export const BlameOnTheWire = Type.Object(
  {
    run_id: Type.String(),
    beside: RunOnTheWire,
    failed: Type.Array(
      Type.Object({
        host: Type.String(),
        tasks: Type.Array(
          Type.Object({
            task_name: Type.String(),
            action: Type.String(),
            path: nullable,
            line: orNull(number),
            status: Type.Enum(['failed', 'unreachable']),
            msg: nullable,
            before: orNull(Type.String({ description: 'how it went on the host before; null where it did not run' })),
          }),
        ),
      }),
    ),
    run: differences,
    inventory: orNull(
      Type.Array(Type.Object({ host: Type.String(), variables: differences, joined: names, left: names }), {
        description: 'what Ansible was told of these hosts; null where one of the two inventories is not kept',
      }),
    ),
    machines: Type.Array(Type.Object({ host: Type.String(), attributes: differences })),
    tasks: Type.Object({ added: names, removed: names }),
  },
  { title: 'Blame' },
);
