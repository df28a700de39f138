/** Guests that want to run code on the controller, by whatever a source can say of them. */

import { join } from 'node:path';
import { expect } from 'vitest';
import { type Service, startService } from '../service.ts';

/** With braces, without, and what needs no plugin at all. Each leaves a file when it is run. */
export const attacks: Readonly<Record<string, (file: string) => string>> = {
  braces: (file) => `{{ lookup('pipe','touch ${file}') }}`,
  bare: (file) => `lookup('pipe','touch ${file}') == ''`,
  cycler: (file) => `cycler.__init__.__globals__.os.popen('touch ${file}').read() == ''`,
  'braced cycler': (file) => `{{ cycler.__init__.__globals__.os.popen('touch ${file}').read() }}`,
  statement: (file) => `{% set x = lookup('pipe','touch ${file}') %}{# #}{{ x`,
};

/** One guest for each attack, which says it in every field that a source can measure. */
export async function hostileEstate(markers: string): Promise<Service> {
  const hostvars = ['pool', 'fqdn', 'addresses', 'criticality', 'notes', 'deep', 'list', 'power_state'];
  const service = await startService({ settings: { inventory: { hostvars } } });
  for (const [attack, write] of Object.entries(attacks)) {
    const say = (field: string) => write(join(markers, `${attack.replace(' ', '-')}.${field}`));
    const item = {
      ci_name: say('name'),
      ci_type: 'virtual_machine',
      environment: say('environment'),
      role: say('role'),
      criticality: say('criticality'),
      tags: [say('tag')],
      terraform_resource_id: say('terraform'),
      technical_specs: {
        node: say('node'),
        os: say('os'),
        os_version: say('os-version'),
        pool: say('pool'),
        fqdn: say('fqdn'),
        addresses: [say('address')],
        primary_address: say('primary'),
        deep: {
          [say('key')]: say('value'),
          __ansible_unsafe: say('unsafe'),
          __ansible_vault: say('vault'),
          __ansible_type: 'x',
        },
        list: [say('entry'), { inner: say('inner') }],
        [say('spec')]: say('spec-value'),
        __ansible_vault: say('top-vault'),
        ansible_connection: say('connection'),
        ansible_host: say('host'),
      },
    };
    const reading = { source: 'proxmox-api:home', complete: false, items: [{ ...item, external_id: say('id') }] };
    expect((await service.call('POST', '/passes', reading)).body).toMatchObject({ created: 1, errors: [] });
    const { items } = (await service.call('GET', `/ci?ci_name=${encodeURIComponent(item.ci_name)}`)).body as {
      items: { ci_id: string }[];
    };
    // What a person copied from elsewhere is text as well.
    const words = { notes: say('notes'), managed_by: say('managed'), owner: say('owner') };
    expect((await service.call('PUT', `/ci/${items[0]?.ci_id}`, words)).status).toBe(200);
  }
  return service;
}
