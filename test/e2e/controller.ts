/** A machine with Ansible and the inventory script, which asks a real service. Nothing of Ansible is configured. */

import {
  type AnsibleAge,
  type AnsibleCommand,
  emptyFolder,
  inventoryScript,
  type Outcome,
  runAnsible,
} from '../ansible/run-ansible.ts';
import type { Service } from '../service.ts';

export interface Controller {
  folder: string;
  env: Record<string, string>;
  run: (command: AnsibleCommand, ...words: string[]) => Promise<Outcome>;
}

export function controllerOf(service: Service, age: AnsibleAge): Controller {
  const folder = emptyFolder();
  const env = { ROLLCALL_URL: service.url, ROLLCALL_TOKEN: service.ansibleToken };
  return {
    folder,
    env,
    run: (command, ...words) => runAnsible(age, command, ['-i', inventoryScript, ...words], { cwd: folder, env }),
  };
}

export interface InventoryJson {
  _meta: { hostvars: Record<string, Record<string, unknown>> };
  [group: string]: unknown;
}

/** The inventory as it is served to a machine that is not the service's own. */
export async function inventoryOf(service: Service, query = ''): Promise<InventoryJson> {
  return (await service.call('GET', `/inventory${query}`)).body as InventoryJson;
}
