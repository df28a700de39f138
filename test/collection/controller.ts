/** A machine that has Ansible and the collection: from the checkout by its link, or installed. Nothing else is set. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type AnsibleAge, type AnsibleCommand, emptyFolder, type Outcome, runAnsible } from '../ansible/run-ansible.ts';
import type { Service } from '../service.ts';

export const checkout = new URL('../../ansible', import.meta.url).pathname;

export interface Controller {
  folder: string;
  run: (command: AnsibleCommand, ...words: string[]) => Promise<Outcome>;
  /** A file of the inventory plugin beside the others; answers its path. */
  inventory: (settings?: object, name?: string) => string;
  /** What the tasks of a play on localhost registered, by the names that they registered it under. */
  play: (tasks: readonly object[], ...words: string[]) => Promise<Record<string, Registered>>;
  /** All that plays have printed. */
  printed: () => string;
}

export interface Registered {
  changed?: boolean;
  failed?: boolean;
  msg?: unknown;
  [key: string]: unknown;
}

export interface ControllerOptions {
  /** Where ansible_collections lies. */
  collections?: string;
  token?: string;
  env?: Record<string, string>;
}

export function controllerOf(
  service: Pick<Service, 'url' | 'ansibleToken'>,
  age: AnsibleAge,
  options: ControllerOptions = {},
): Controller {
  const folder = emptyFolder();
  const env = {
    ROLLCALL_URL: service.url,
    ROLLCALL_TOKEN: options.token ?? service.ansibleToken,
    ANSIBLE_COLLECTIONS_PATH: options.collections ?? checkout,
    ANSIBLE_PIPELINING: '1',
    ...options.env,
  };
  let printed = '';
  const run = (command: AnsibleCommand, ...words: string[]) => runAnsible(age, command, words, { cwd: folder, env });
  return {
    folder,
    run,
    inventory(settings = {}, name = 'rollcall.yml') {
      const path = join(folder, name);
      writeFileSync(path, JSON.stringify({ plugin: 'rollcall.cmdb.rollcall', ...settings }));
      return path;
    },
    printed: () => printed,
    async play(tasks, ...words) {
      const names = tasks.flatMap((task) => ('register' in task ? [String(task.register)] : []));
      const registered = join(folder, 'registered.json');
      const kept = {
        'ansible.builtin.copy': {
          content: `{{ {${names.map((name) => `'${name}': ${name}`).join(', ')}} | to_json }}`,
          dest: registered,
        },
        check_mode: false,
        diff: false,
      };
      const play = { hosts: 'localhost', gather_facts: false, tasks: [...tasks, kept] };
      writeFileSync(join(folder, 'site.yml'), JSON.stringify([play]));
      const { code, stdout, stderr } = await run('ansible-playbook', 'site.yml', ...words);
      printed += stdout + stderr;
      expect({ code, printed: code === 0 ? '' : printed }).toEqual({ code: 0, printed: '' });
      return JSON.parse(readFileSync(registered, 'utf8')) as Record<string, Registered>;
    },
  };
}
