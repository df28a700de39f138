/**
 * Runs modules as Ansible runs them on its own machine, but one after the other in a single process: to start
 * one for each is nearly all that a task costs.
 */

import { expect } from 'vitest';
import { type AnsibleAge, emptyFolder, runProgram } from '../ansible/run-ansible.ts';
import type { Service } from '../service.ts';
import { checkout } from './controller.ts';

/** What a task says, in check mode where it says so. */
export type Step = readonly [module: string, options: object, check?: 'check'];

export interface Result {
  changed: boolean;
  failed?: boolean;
  msg?: string;
  ci?: Record<string, unknown>;
  diff?: { before: object; after: object };
  [key: string]: unknown;
}

const program = `
import contextlib, importlib, io, json, sys
from ansible.module_utils import basic
from ansible.module_utils.common import warnings
basic._ANSIBLE_PROFILE = "legacy"
for name, options, mode in json.loads(sys.argv[1]):
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": {**options, "_ansible_check_mode": mode == "check"}}).encode()
    warnings._global_warnings.clear()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        importlib.import_module("ansible_collections.rollcall.cmdb.plugins.modules." + name).main()
    print(json.dumps(json.loads(printed.getvalue())))
`;

export async function runModules(age: AnsibleAge, service: Service, steps: readonly Step[]): Promise<Result[]> {
  const env = { PYTHONPATH: checkout, ROLLCALL_URL: service.url, ROLLCALL_TOKEN: service.adminToken };
  const words = ['-c', program, JSON.stringify(steps.map(([name, options, mode]) => [name, options, mode ?? null]))];
  const { code, stdout, stderr } = await runProgram('python3', words, { cwd: emptyFolder(), age, env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Result);
}
