/**
 * The part of the plugin that calls the service, asked alone: without a playbook around it, which takes a hundred
 * times as long.
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

async function answers(asked: readonly Asked[], expression: string): Promise<unknown[]> {
  const folder = emptyFolder();
  const program = `
import json, os, sys
sys.path.insert(0, ${JSON.stringify(dirname(plugin))})
sys.dont_write_bytecode = True
import rollcall
for case in json.loads(sys.argv[1]):
    before = dict(os.environ)
    os.environ.update(case.get("env", {}))
    try:
        options = dict.fromkeys(("url", "token", "token_file", "token_command", "ca"))
        service = rollcall.Service({**options, **case.get("options", {})}.get)
        said = ${expression}
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
  const { stdout, stderr } = await runProgram('python3', ['-c', program, JSON.stringify(asked)], { cwd: folder });
  expect(stderr).toBe('');
  return stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}
