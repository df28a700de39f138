/** The settings under `inventory`. */

import { Type } from 'typebox';

const globs = Type.Union([Type.String(), Type.Array(Type.String())]);

/** What a host must be: every key that is given fits, each by one of its globs. */
export const matchSchema = Type.Object(
  {
    ci_name: Type.Optional(globs),
    ci_type: Type.Optional(globs),
    ci_status: Type.Optional(globs),
    site_id: Type.Optional(globs),
    environment: Type.Optional(globs),
    role: Type.Optional(globs),
    criticality: Type.Optional(globs),
    managed_by: Type.Optional(globs),
    owner: Type.Optional(globs),
    tag: Type.Optional(globs),
    node: Type.Optional(globs),
    pool: Type.Optional(globs),
    os: Type.Optional(globs),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    description: 'globs by key, such as {ci_name: "web*", tag: [prod, live]}; all keys must fit',
  },
);

export const groupSchema = Type.Object(
  {
    match: Type.Optional(matchSchema),
    vars: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'group variables, which may hold templates and vault values',
      }),
    ),
    children: Type.Optional(Type.Array(Type.String(), { description: 'names of groups' })),
  },
  { additionalProperties: false },
);

export const inventorySettings = Type.Object(
  {
    hostvars: Type.Array(Type.String(), {
      default: [],
      description: 'further keys of technical_specs, or owner, criticality, notes, in each host’s `rollcall` variable',
    }),
    follow_renames: Type.Boolean({
      default: true,
      description: 'a host that is renamed at its source is renamed in the inventory',
    }),
    groups: Type.Record(Type.String(), groupSchema, {
      default: {},
      description: 'groups by name, written exactly so; a key that stands here beats the API',
    }),
    not_served: Type.Array(matchSchema, {
      default: [],
      description: 'hosts that fit one of these are not in the inventory, unless ansible.enabled is true',
    }),
    address: Type.Record(
      Type.String(),
      Type.Array(
        Type.String({
          pattern: '^(fqdn|[0-9A-Fa-f.:]+/\\d{1,3})$',
          description: 'a network such as 10.0.0.0/8, or fqdn',
        }),
      ),
      {
        default: {},
        description: 'by site: the networks by which its hosts are reached, in order of preference',
      },
    ),
    export: Type.Optional(
      Type.Object(
        {
          directory: Type.String({
            pattern: '^/',
            description: 'the whole path of a folder, which is written each night and works without Rollcall',
          }),
          git: Type.Enum(['off', 'commit', 'push'], {
            default: 'off',
            description: 'whether the folder is a Git repository: what differs is committed, and pushed',
          }),
        },
        { additionalProperties: false },
      ),
    ),
    keep_days: Type.Integer({
      default: 7,
      minimum: 1,
      description: 'how long a version that was served can be asked for again',
    }),
  },
  { additionalProperties: false, default: {} },
);
