/**
 * The parts of the plugin that call the service and keep what it did not take, asked alone: without a playbook around
 * them, which takes a hundred times as long.
 */

import { dirname } from 'node:path';
import { expect } from 'vitest';
import { emptyFolder, runProgram } from '../ansible/run-ansible.ts';
import { plugin } from './project.ts';

export interface Asked {
  /** As Ansible gives them to the plugin. */
  options?: Record<string, string>;
  env?: Record<string, string>;
}

/** Which address and token it would use, or why none. */
export const found = (asked: readonly Asked[]) =>
  answers(asked, '[service.url, service.find_token(1)]') as Promise<unknown[]>;

/** What becomes of a call to each of these addresses: taken, to be made again later, or never. */
export const called = (urls: readonly string[]) =>
  answers(
    urls.map((url) => ({ options: { url, token: 'x' } })),
    'service.put("/api/v1/runs/x", b"x" * 2_000_000, 0.5) or "taken"',
  ) as Promise<string[]>;

/** A run as its clock tells it, on which nothing else happens than what is said here. */
export interface Timed {
  plays: number;
  /** How long each play takes by itself. */
  playSeconds: number;
  /** After how long the service answers its calls, from the first on and then always as the last; null: never. */
  answers: readonly (number | null)[];
  /** How long the disk takes for what must be safe on it. */
  syncSeconds?: number;
  /** How much too late a busy machine wakes who waits. */
  lateSeconds?: number;
  ci?: boolean;
}

export interface Held {
  /** How much longer it took than its plays. */
  seconds: number;
  /** Calls that the service does not have at its end. */
  waiting: number;
}

/** How such runs are held up. */
export const held = (runs: readonly Timed[]) =>
  asked(
    runs,
    `
class Clock:
    now = 0.0
    def monotonic(self): return self.now
    def time(self): return 1.6e9 + self.now
    def sleep(self, seconds): self.now += seconds

class Service:
    url = "http://192.0.2.1"
    def put(self, path, body, seconds):
        after = answers.pop(0) if len(answers) > 1 else answers[0]
        if seconds <= 0:
            raise rollcall.Outage("did not answer in time")
        clock.now += seconds + late if after is None or after > seconds else after
        if after is None or after > seconds:
            raise rollcall.Outage("did not answer in time")

clock = rollcall.time = Clock()
answers, late = case["answers"], case.get("lateSeconds", 0)
def sync(handle): clock.now += case.get("syncSeconds", 0)
rollcall.os.fsync = sync
spool = rollcall.Spool(tempfile.mkdtemp(dir="."), Service(), 0, str(uuid.uuid4()), case.get("ci", False))
for play in range(case["plays"]):
    spool.put(f"/{play}", {})
    spool.deliver(rollcall.DELIVERY_SECONDS)
    clock.now += case["playSeconds"]
spool.put("/stats", {})
spool.deliver(rollcall.LAST_DELIVERY_SECONDS, last=True, waits=case.get("ci", False))
spool.settle()
said = {"seconds": clock.now - case["plays"] * case["playSeconds"], "waiting": spool.waiting()[0]}
`,
  ) as Promise<Held[]>;

const answers = (cases: readonly Asked[], expression: string) =>
  asked(
    cases,
    `
options = dict.fromkeys(("url", "token", "token_file", "token_command", "ca"))
service = rollcall.Service({**options, **case.get("options", {})}.get)
said = ${expression}
`,
  );

/** Has `rollcall`, the plugin, and `case`; what it comes to is in `said`. */
async function asked(cases: readonly object[], program: string): Promise<unknown[]> {
  const folder = emptyFolder();
  const whole = `
import json, os, sys, tempfile, uuid
sys.path.insert(0, ${JSON.stringify(dirname(plugin))})
sys.dont_write_bytecode = True
import rollcall
for case in json.loads(sys.argv[1]):
    before = dict(os.environ)
    os.environ.update(case.get("env", {}))
    try:
${program.replaceAll(/^(?=.)/gm, '        ')}
    except rollcall.Failure as failure:
        said = f"wrong: {failure}"
    except rollcall.Outage as outage:
        said = f"later: {outage}"
    except rollcall.Refusal as refusal:
        said = f"never: {refusal}"
    print(json.dumps(said))
    os.environ.clear()
    os.environ.update(before)
`;
  const { stdout, stderr } = await runProgram('python3', ['-c', whole, JSON.stringify(cases)], { cwd: folder });
  expect(stderr).toBe('');
  return stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}
