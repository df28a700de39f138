/** What `prepare.ts` has put in place, for the tests that run it. */

import { readFileSync } from 'node:fs';

export const toolsFolder = new URL('../../.tools/', import.meta.url).pathname;

export interface AnsibleTools {
  version: string;
  /** The folder with `ansible`, `ansible-inventory`, `ansible-playbook` and the `python3` they run on. */
  bin: string;
}

export const ansibleAges = ['oldest', 'newest'] as const;
export type AnsibleAge = (typeof ansibleAges)[number];

export interface Tools {
  ansible: Record<AnsibleAge, AnsibleTools>;
  /** Where Ansible finds `ansible.posix.json`, its own record of a run. */
  collections: string;
  chromium: string;
  systemdAnalyze: string;
  ruff: string;
  python: string;
  /** The CLI of Bitwarden; the `node` on the PATH runs it. */
  bw: string;
}

/** Throws a plain sentence where the tools were never prepared. */
export function readTools(): Tools {
  try {
    return JSON.parse(readFileSync(`${toolsFolder}tools.json`, 'utf8')) as Tools;
  } catch (cause) {
    throw new Error('What the tests run with is not in place yet: run "npm test" once.', { cause });
  }
}
