/** A configuration item on the wire: what is read, what may be written, and the specs of each type. */

import { type TSchema, Type } from 'typebox';
import { orNull } from '../check.ts';
import { FaultOnTheWire } from '../http/problem.ts';
import { type Document, itemTypes, type Json, lifecycles, powers, relationshipTypes, strengths } from './item.ts';
import { statusWords } from './status.ts';
import type { ReadItem } from './store/read-items.ts';

const text = (description?: string) =>
  orNull(Type.String({ maxLength: 10_000, ...(description ? { description } : {}) }));
const number = (description?: string) => orNull(Type.Number(description ? { description } : {}));
const texts = (description: string) => orNull(Type.Array(Type.String({ maxLength: 10_000 }), { description }));
const time = Type.String({ description: 'UTC, ISO 8601, 24 characters' });

const hostSpecs = {
  vmid: orNull(Type.Integer({ minimum: 1 })),
  node: text('the hypervisor node it runs on'),
  uuid: text('SMBIOS UUID'),
  serial: text(),
  macs: texts('hardware addresses'),
  machine_id: text('of /etc/machine-id'),
  fqdn: text(),
  addresses: texts('IP addresses'),
  primary_address: text('the one of `addresses` by which it is reached'),
  interfaces: orNull(
    Type.Array(
      Type.Object({ name: Type.String(), mac: Type.Optional(Type.String()), addresses: Type.Array(Type.String()) }),
      { description: 'which address is on which' },
    ),
  ),
  cpu_cores: number(),
  memory_mb: number(),
  disk_gb: number(),
  os: text(),
  os_version: text(),
  kernel: text(),
  architecture: text(),
  booted_at: text('when it was started; `uptime` in seconds is accepted instead'),
  uptime: number('seconds; kept as booted_at'),
  uptime_s: number('seconds; kept as booted_at'),
};
const parent = text('the name of what it lives on, which tells it apart from its namesakes');
const specsOfType: Record<(typeof itemTypes)[number], Record<string, TSchema>> = {
  virtual_machine: hostSpecs,
  lxc_container: hostSpecs,
  physical_server: hostSpecs,
  network_device: { ...hostSpecs, ports: number() },
  machine: hostSpecs,
  cluster: { nodes: texts('names of its nodes'), version: text() },
  storage: {
    parent,
    capacity_gb: number(),
    storage_type: text('such as zfs, nfs, lvmthin'),
    content: texts('what it may hold'),
  },
  network: { parent, cidr: text(), vlan: orNull(Type.Integer({ minimum: 0, maximum: 4095 })), gateway: text() },
  container: { parent, image: text(), ports: texts('published ports'), project: text() },
  service: { parent, port: orNull(Type.Integer({ minimum: 1, maximum: 65_535 })), protocol: text(), url: text() },
  application: { parent, version: text(), url: text() },
};

/** The schema of a type's `technical_specs`. Keys without one are kept as they are. */
export function specsSchema(
  type: string,
  settings: Readonly<Record<string, { specs: Record<string, unknown> }>>,
): TSchema {
  const own = settings[type]?.specs ?? {};
  const known = specsOfType[type as keyof typeof specsOfType] ?? {};
  return { type: 'object', properties: { ...known, ...own }, additionalProperties: true } as TSchema;
}

const name = Type.String({ minLength: 1, maxLength: 10_000 });
/** As Ansible takes it from an operator: no pattern characters, no paths, no braces, no control characters. */
const operatorName = (what: string, none: string) =>
  Type.String({
    maxLength: 253,
    pattern: `^(?!(?:${none})$)(?!.*\\.\\.)[^/\\\\{}\\[\\]\\p{Cc}\\p{Cs},:&!~*?@\\s]+$`,
    description: `${what} without spaces, slashes, braces or pattern characters`,
  });

const AnsibleBody = Type.Object(
  {
    name: Type.Optional(orNull(operatorName('a host name', '_meta|all|ungrouped|-.*'))),
    enabled: Type.Optional(orNull(Type.Boolean())),
    host: Type.Optional(
      orNull(Type.String({ maxLength: 255, pattern: '^[A-Za-z0-9_.:%-]+$', description: 'an address or a host name' })),
    ),
    user: Type.Optional(text()),
    port: Type.Optional(orNull(Type.Integer({ minimum: 1, maximum: 65_535 }))),
    connection: Type.Optional(
      orNull(
        Type.String({
          maxLength: 100,
          pattern: '^[A-Za-z0-9_.]+$',
          description: 'a connection plugin, such as ssh, local or community.docker.docker',
        }),
      ),
    ),
    groups: Type.Optional(orNull(Type.Array(operatorName('a group name', '_meta')))),
    vars: Type.Optional(
      orNull(
        Type.Record(Type.String(), Type.Unknown(), {
          description: 'host variables, which may hold templates and vault values',
        }),
      ),
    ),
  },
  { additionalProperties: false, title: 'AnsibleWords' },
);

export const relationshipTypeForm = '^[a-z][a-z0-9_]*$';
const relationshipType = Type.String({
  pattern: relationshipTypeForm,
  maxLength: 100,
  description: `${relationshipTypes.join(', ')}, or a word of your own in lower case with underscores`,
});
export const relationshipStrength = Type.Enum([...strengths], { description: 'strong unless told' });
const RelationshipBody = Type.Object(
  {
    relationship_type: relationshipType,
    relationship_strength: Type.Optional(orNull(relationshipStrength)),
    ci_id: Type.Optional(orNull(Type.String({ maxLength: 100, description: 'of the other item' }))),
    ci_name: Type.Optional(
      orNull(
        Type.String({
          maxLength: 10_000,
          description:
            'of the other item, in whatever case: at the same site first, then anywhere; it need not be there yet',
        }),
      ),
    ),
    note: Type.Optional(text()),
  },
  { additionalProperties: false, title: 'RelationshipSaid' },
);

/** What the server owns: accepted in a body, since clients send back what they read, and ignored. */
const owned = [
  'ci_id',
  'hold',
  'discovered_by',
  'generation',
  'first_seen_at',
  'last_seen_at',
  'last_discovered_at',
  'last_configured_at',
  'created_at',
  'updated_at',
  'deleted_at',
  'shadowed',
] as const;

export interface ItemSchemas {
  /** Of a partial write: every key may be left out. */
  body: TSchema;
  /** Of a registration: a name is needed. */
  registration: TSchema;
}

/** The schemas of a body that speaks of an item; further types come from the settings. */
export function itemSchemas(furtherTypes: readonly string[]): ItemSchemas {
  const types = [...itemTypes, ...furtherTypes];
  const properties = {
    ci_type: Type.Optional(orNull(Type.Enum(types))),
    ci_name: Type.Optional(orNull(name)),
    ci_status: Type.Optional(text(`one of ${statusWords.join(', ')}, or Proxmox's own word for the state of a guest`)),
    lifecycle: Type.Optional(orNull(Type.Enum([...lifecycles]))),
    power: Type.Optional(orNull(Type.Enum([...powers]))),
    site_id: Type.Optional(
      orNull(
        Type.String({
          minLength: 1,
          maxLength: 100,
          pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*$',
          description: "the site's slug, such as site-ranch",
        }),
      ),
    ),
    environment: Type.Optional(text()),
    role: Type.Optional(text()),
    criticality: Type.Optional(text()),
    technical_specs: Type.Optional(
      orNull(
        Type.Record(Type.String(), Type.Unknown(), {
          description: 'units in the name, such as memory_mb; the schema is by type',
        }),
      ),
    ),
    tags: Type.Optional(texts('add up over all sources')),
    ansible: Type.Optional(orNull(AnsibleBody)),
    relationships: Type.Optional(
      orNull(
        Type.Array(RelationshipBody, {
          maxItems: 10_000,
          description:
            'what it is to others, in place of all that this source said of it before; [] or null takes that back. Left out it stands; in a whole reading of a source it is then no longer said',
        }),
      ),
    ),
    managed_by: Type.Optional(
      text('proxmox-api, terraform, ansible, import: the write speaks for that kind of source'),
    ),
    terraform_resource_id: Type.Optional(text('such as pve1/qemu/102')),
    external_id: Type.Optional(text("the source's own key for the thing")),
    owner: Type.Optional(text()),
    notes: Type.Optional(text()),
    ...Object.fromEntries(
      owned.map((key) => [key, Type.Optional(Type.Unknown({ description: 'accepted and ignored' }))]),
    ),
  };
  return {
    body: Type.Object(properties, { additionalProperties: false, title: 'ItemPatch' }),
    registration: Type.Object(
      { ...properties, ci_name: name },
      { additionalProperties: false, title: 'ItemRegistration' },
    ),
  };
}

const Shadow = Type.Object(
  {
    pointer: Type.String({ description: 'what was written' }),
    value: Type.Unknown({ description: 'what is in force instead' }),
    by: Type.String({ description: 'the source that outranks it, or pin' }),
    rule: Type.String(),
  },
  { title: 'Shadow' },
);

export const ItemOnTheWire = Type.Object(
  {
    ci_id: Type.String({ description: 'UUIDv7' }),
    ci_type: Type.String(),
    ci_name: Type.String(),
    ci_status: Type.Enum([...statusWords]),
    lifecycle: Type.Enum([...lifecycles]),
    power: orNull(Type.Enum([...powers])),
    hold: orNull(Type.Object({ reason: Type.String(), by: Type.String(), until: orNull(time) })),
    site_id: Type.String(),
    environment: text(),
    role: text(),
    criticality: text(),
    technical_specs: Type.Record(Type.String(), Type.Unknown()),
    tags: Type.Array(Type.String()),
    ansible: Type.Object({
      name: text(),
      enabled: orNull(Type.Boolean()),
      host: text(),
      user: text(),
      port: orNull(Type.Integer()),
      connection: text(),
      groups: Type.Array(Type.String()),
      vars: Type.Record(Type.String(), Type.Unknown()),
    }),
    managed_by: text(),
    discovered_by: text(),
    terraform_resource_id: text(),
    external_id: text(),
    owner: text(),
    notes: text(),
    generation: Type.Integer(),
    first_seen_at: time,
    last_seen_at: orNull(time),
    last_discovered_at: orNull(time),
    last_configured_at: orNull(time),
    created_at: time,
    updated_at: time,
    deleted_at: orNull(time),
    relationships: Type.Optional(
      Type.Array(
        Type.Object(
          {
            relationship_type: Type.String(),
            relationship_strength: relationshipStrength,
            ci_id: Type.String(),
            ci_name: text('as it was called then'),
            source: Type.String(),
            note: text(),
          },
          { title: 'RelationshipThen' },
        ),
        {
          description:
            'what it was to others at the moment that was asked for, if it was anything; as they are now, they have a call of their own',
        },
      ),
    ),
    shadowed: Type.Optional(Type.Array(Shadow, { description: 'what was written and is outranked by another source' })),
  },
  { title: 'Item' },
);

export const BulkResults = Type.Object(
  {
    results: Type.Array(
      Type.Object({
        index: Type.Integer(),
        status: Type.Integer({ description: 'the HTTP status that the item alone would have got' }),
        ci_id: Type.Optional(Type.String()),
        errors: Type.Optional(Type.Array(FaultOnTheWire)),
      }),
    ),
  },
  { title: 'BulkResults' },
);

export const ChangeOnTheWire = Type.Object(
  {
    change_id: Type.String(),
    change_no: Type.Integer({ description: 'counts all changes; names the change as well as its id does' }),
    subject: Type.Enum(['ci', 'site', 'group', 'credential']),
    subject_id: Type.String(),
    ci_name: text(),
    action: Type.String({
      description:
        'created, updated, retired, missing, restored, deleted, pinned, unpinned, held, released, merged, split, reverted',
    }),
    source: Type.String(),
    actor: text('the token that wrote'),
    change_ref: text('owner/repo#123'),
    change_ref_standing: Type.Boolean({ description: 'it was named for all that its source or token does' }),
    reason: text(),
    request_id: text(),
    pass_id: text(),
    reverts: text('the change_id of the change that this one undid'),
    changed_at: time,
    before: Type.Record(Type.String(), Type.Unknown(), { description: 'the attributes that differ, by dotted path' }),
    after: Type.Record(Type.String(), Type.Unknown()),
  },
  { title: 'Change' },
);

/** What of an item goes out, whenever it was so. */
export type ShownItem = Document &
  Pick<
    ReadItem,
    | 'ci_id'
    | 'first_seen_at'
    | 'last_seen_at'
    | 'last_discovered_at'
    | 'last_configured_at'
    | 'created_at'
    | 'updated_at'
  > & { relationships?: Json[] };

/** Every key present, null when unknown. */
export function itemOnTheWire(item: ShownItem): Record<string, unknown> {
  const { ansible } = item;
  return {
    ci_id: item.ci_id,
    ci_type: item.ci_type,
    ci_name: item.ci_name,
    ci_status: item.ci_status,
    lifecycle: item.lifecycle,
    power: item.power,
    hold: item.hold,
    site_id: item.site_id,
    environment: item.environment,
    role: item.role,
    criticality: item.criticality,
    technical_specs: item.technical_specs,
    tags: item.tags,
    ansible: {
      name: item.ansible_name,
      enabled: ansible.enabled ?? null,
      host: ansible.host ?? null,
      user: ansible.user ?? null,
      port: ansible.port ?? null,
      connection: ansible.connection ?? null,
      groups: ansible.groups ?? [],
      vars: ansible.vars ?? {},
    },
    managed_by: item.managed_by,
    discovered_by: item.discovered_by,
    terraform_resource_id: item.terraform_resource_id,
    external_id: item.external_id,
    owner: item.owner,
    notes: item.notes,
    generation: item.generation,
    first_seen_at: item.first_seen_at,
    last_seen_at: item.last_seen_at,
    last_discovered_at: item.last_discovered_at,
    last_configured_at: item.last_configured_at,
    created_at: item.created_at,
    updated_at: item.updated_at,
    deleted_at: item.deleted_at,
    ...(item.relationships ? { relationships: item.relationships } : {}),
  };
}
