/** A playbook that is ended by a signal in the middle of its work. */

import { existsSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome } from '../ansible/run-ansible.ts';
import { type Project, type ProjectOptions, project } from './project.ts';

const stopsInTheSecondPlay = `
- {name: one, hosts: a, gather_facts: false, tasks: [{name: first, debug: }]}
- name: two
  hosts: a
  gather_facts: false
  tasks:
    - {name: second, debug: }
    - {name: third, raw: "touch {{ playbook_dir }}/started; sleep 60"}
`;

/** The signal comes while its third task runs. */
export async function ended(signal: NodeJS.Signals, options: ProjectOptions): Promise<Project & { outcome: Outcome }> {
  const tried = project({ ...options, files: { 'site.yml': stopsInTheSecondPlay } });
  const { kill, done } = tried.start();
  const started = async () => {
    for await (const { filename } of watch(tried.folder)) if (filename === 'started') return;
  };
  await Promise.race([existsSync(join(tried.folder, 'started')) || started(), done]);
  kill(signal);
  return { ...tried, outcome: await done };
}
