/**
 * A plan as `terraform show -json PLANFILE` prints it: what it takes away, replaces or changes, and by what each thing
 * may be known. Values are read at a few places alone, and none that the plan calls sensitive. Pure.
 */

import { StartError } from '../errors.ts';
import { isMapping } from './words.ts';

export const plannedActions = ['delete', 'replace', 'update'] as const;
export type PlannedAction = (typeof plannedActions)[number];

export interface PlannedChange {
  action: PlannedAction;
  address: string;
  /** For POST /ci/match. */
  thing: Record<string, unknown>;
}

export interface Plan {
  changes: PlannedChange[];
  /** Terraform said all that it means to do. */
  isWhole: boolean;
  /** What whoever reads on has to know of it. */
  notes: string[];
}

/** Throws StartError, which repeats nothing of what stands there. */
export function readPlan(text: string, called: string): Plan {
  if (text.startsWith('PK')) throw notPlan(called, 'a plan as Terraform stores it');
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch {
    // The parser's message would quote what it cannot read.
    throw notPlan(called, text.trim() === '' ? 'empty' : 'no JSON');
  }
  if (!isMapping(plan)) throw notPlan(called, 'no plan');
  const { format_version: format, resource_changes: changes, errored, complete, values } = plan;
  if (!Array.isArray(changes)) {
    if (values !== undefined || 'resources' in plan) throw notPlan(called, 'a state, and no plan');
    // A plan that changes nothing at all has no such list.
    if (typeof format !== 'string' || !('planned_values' in plan || 'configuration' in plan))
      throw notPlan(called, 'no plan');
  }
  if (typeof format !== 'string' || !format.startsWith('1.'))
    throw new StartError(`${called} is of a format that is not known here; known is 1.`);
  const notes: string[] = [];
  if (errored === true) notes.push('Terraform broke off while it made this plan: more may be affected than it says.');
  if (complete === false) notes.push('Terraform put a part of this off to a later plan, which is not in it.');
  const read = (Array.isArray(changes) ? changes : []).filter(isMapping);
  const deposed = read.filter((change) => typeof change.deposed === 'string').length;
  if (deposed > 0)
    notes.push(`Left aside: ${deposed} left over from former replacements, in whose place something else is already.`);
  return { changes: read.flatMap(plannedChange), isWhole: errored !== true && complete !== false, notes };
}

function notPlan(called: string, what: string): StartError {
  return new StartError(
    `${called} is ${what}. Make one with: terraform plan -out plan.bin && terraform show -json plan.bin > plan.json`,
  );
}

function plannedChange(change: Record<string, unknown>): PlannedChange[] {
  const { address, previous_address: before, type, mode, deposed, change: what } = change;
  if (mode === 'data' || typeof address !== 'string' || typeof deposed === 'string' || !isMapping(what)) return [];
  const action = actionOf(what.actions);
  if (!action) return [];
  const addresses = [address, ...(typeof before === 'string' ? [before] : [])];
  const kind = Object.hasOwn(kinds, String(type)) ? kinds[String(type)] : undefined;
  const values = (path: string) => valuesAt(what.before, what.before_sensitive, path.split('.'));
  return [{ action, address, thing: { terraform_addresses: addresses, ...thingOf(kind, values) } }];
}

/** What is forgotten goes on running, and what is made takes nothing down. */
function actionOf(actions: unknown): PlannedAction | undefined {
  if (!Array.isArray(actions)) return undefined;
  if (actions.includes('delete')) return actions.includes('create') ? 'replace' : 'delete';
  return actions.includes('update') ? 'update' : undefined;
}

/** Where a kind of resource has what identifies it; of several places the first that holds something. */
interface Kind {
  type: string;
  name: readonly string[];
  vmid?: readonly string[];
  node?: readonly string[];
  uuid?: readonly string[];
  macs?: readonly string[];
}

const bpg = {
  vmid: ['vm_id', 'id'],
  node: ['node_name'],
  uuid: ['smbios.0.uuid', 'smbios.uuid'],
  macs: ['network_device.*.mac_address', 'network_interface.*.mac_address'],
};
const telmate = { vmid: ['vmid'], node: ['current_node', 'target_node'], uuid: ['smbios.0.uuid'] };
const machine = (...name: string[]): Kind => ({ type: 'virtual_machine', name });

const kinds: Readonly<Record<string, Kind>> = {
  proxmox_virtual_environment_vm: { ...machine('name'), ...bpg },
  proxmox_virtual_environment_vm2: { ...machine('name'), ...bpg },
  proxmox_virtual_environment_cloned_vm: { ...machine('name'), ...bpg },
  proxmox_virtual_environment_container: { type: 'lxc_container', name: ['initialization.0.hostname'], ...bpg },
  proxmox_vm: { ...machine('name'), ...bpg },
  proxmox_cloned_vm: { ...machine('name'), ...bpg },
  proxmox_vm_qemu: { ...machine('name'), ...telmate, macs: ['network.*.macaddr'] },
  proxmox_lxc: { type: 'lxc_container', name: ['hostname'], ...telmate, macs: ['network.*.hwaddr'] },
  proxmox_lxc_guest: { type: 'lxc_container', name: ['name'], ...telmate, vmid: ['guest_id'] },
  libvirt_domain: { ...machine('name'), uuid: ['id'], macs: ['network_interface.*.mac'] },
  vsphere_virtual_machine: { ...machine('name'), uuid: ['uuid'] },
  hcloud_server: machine('name'),
  aws_instance: machine('tags.Name'),
  azurerm_linux_virtual_machine: machine('name'),
  azurerm_windows_virtual_machine: machine('name'),
  google_compute_instance: machine('name'),
  openstack_compute_instance_v2: machine('name'),
  yandex_compute_instance: machine('name'),
  digitalocean_droplet: machine('name'),
  docker_container: { type: 'container', name: ['name'] },
  ansible_host: { type: 'machine', name: ['inventory_hostname', 'name'] },
};

function thingOf(kind: Kind | undefined, values: (path: string) => unknown[]): Record<string, unknown> {
  const first = (paths: readonly string[] = []) => texts(paths.flatMap(values))[0];
  const number = Number(first(kind?.vmid));
  const vmid = Number.isInteger(number) && number > 0 ? number : undefined;
  const id = first(['id']);
  const macs = texts((kind?.macs ?? []).flatMap(values)).slice(0, 100);
  const specs = { vmid, node: first(kind?.node), uuid: first(kind?.uuid), macs: macs.length > 0 ? macs : undefined };
  return {
    ci_type: kind?.type,
    ci_name: first(kind?.name),
    // A bare number is the guest's, and of no cluster.
    terraform_resource_id: id === String(vmid) ? undefined : id,
    technical_specs: specs,
  };
}

const longest = 1000;

function texts(values: readonly unknown[]): string[] {
  return values
    .filter((value) => typeof value === 'string' || typeof value === 'number')
    .map(String)
    .filter((text) => text !== '' && text.length <= longest);
}

/** The values at a path, where `*` stands for each entry of a list; none where the plan calls something sensitive. */
function valuesAt(value: unknown, sensitive: unknown, [key, ...rest]: readonly string[]): unknown[] {
  if (sensitive === true || value === null || value === undefined) return [];
  if (key === undefined) return [value];
  if (typeof value !== 'object') return [];
  if (key === '*')
    return Array.isArray(value)
      ? value.flatMap((entry, at) => valuesAt(entry, partOf(sensitive, String(at)), rest))
      : [];
  return valuesAt(partOf(value, key), partOf(sensitive, key), rest);
}

function partOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return value === true ? true : undefined;
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
