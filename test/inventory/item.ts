/** An item for rules that look at few of its attributes. */

import type { Item, ItemId } from '../../src/cmdb/item.ts';

const at = '2026-03-02T10:00:00.000Z';

export function itemWith(given: Partial<Item> = {}): Item {
  return {
    ci_id: '01900000-0000-7000-8000-000000000001' as ItemId,
    ci_type: 'virtual_machine',
    ci_name: 'web-1',
    ci_status: 'running',
    lifecycle: 'active',
    power: 'running',
    hold: null,
    absence: null,
    absent_since: null,
    stop_confirmed: false,
    site_id: 'site-home',
    environment: null,
    role: null,
    criticality: null,
    technical_specs: {},
    tags: [],
    ansible: {},
    ansible_name: 'web-1',
    ansible_name_by: 'auto',
    ansible_name_from: 'web-1',
    managed_by: null,
    discovered_by: null,
    terraform_resource_id: null,
    external_id: null,
    owner: null,
    notes: null,
    generation: 1,
    deleted_at: null,
    winners: {},
    taken_off: {},
    handed_down: {},
    first_anchor: null,
    body_since: null,
    weighed_at: '2026-03-02T10:00:00.000Z',
    merged_into: null,
    merged_at: null,
    merged_by: null,
    revision: 1,
    first_seen_at: at,
    created_at: at,
    updated_at: at,
    ...given,
  };
}
