/** The heart's settings in rollcall.yml. */

import { Type } from 'typebox';
import { hitEnds } from './carrying.ts';
import { defaultRanks } from './kinds.ts';

const slug = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*$', description: "a site's slug, such as site-ranch" });

export const siteSettings = Type.Object(
  {
    name: Type.Optional(Type.String()),
    domains: Type.Optional(Type.Array(Type.String(), { description: 'a short name equals an FQDN in one of these' })),
    new_hosts: Type.Optional(
      Type.Enum(['serve', 'hold'], { description: 'whether hosts that are found later are in the inventory at once' }),
    ),
    vars: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: "variables of the site's group in the inventory" }),
    ),
    notes: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

export const cmdbSettings = {
  timezone: Type.Optional(
    Type.String({ description: "in which times without a zone are read; the machine's unless set" }),
  ),
  default_site: Type.String({ ...slug, default: 'site-home', description: 'the site of everything that names none' }),
  sites: Type.Record(slug, siteSettings, { default: {}, description: 'by slug; a key that stands here beats the API' }),
  types: Type.Record(
    Type.String({ pattern: '^[a-z][a-z0-9_]*$' }),
    Type.Object(
      {
        specs: Type.Record(Type.String(), Type.Unknown(), {
          default: {},
          description: 'JSON Schemas of keys of its technical_specs',
        }),
      },
      { additionalProperties: false },
    ),
    { default: {}, description: 'further types of items, or further keys of known ones' },
  ),
  relationship_types: Type.Record(
    Type.String({ pattern: '^[a-z][a-z0-9_]*$' }),
    Type.Object(
      {
        reverse: Type.Optional(
          Type.String({
            pattern: '^[a-z][a-z0-9_]*$',
            maxLength: 100,
            description: 'what the other item is to the one that has the relationship, such as powers',
          }),
        ),
        hits: Type.Optional(
          Type.Enum([...hitEnds], {
            description:
              'whom an outage hits: the item that has the relationship, the other one that it names, both, or none; item unless told',
          }),
        ),
      },
      { additionalProperties: false },
    ),
    { default: {}, description: 'further types of relationships, or other words and directions for known ones' },
  ),
  retire_after: Type.Object(
    {
      passes: Type.Integer({ minimum: 1, default: 3, description: 'complete readings that do not find it' }),
      hours: Type.Number({ minimum: 0, default: 24, description: 'and hours since the first of them' }),
    },
    {
      additionalProperties: false,
      default: {},
      description: 'when what a measuring source no longer finds is retired, if no other sees it',
    },
  ),
  ranks: Type.Record(
    Type.String({
      pattern: `^(${Object.keys(defaultRanks).join('|')}|environment|role|criticality|site_id|power|technical_specs\\..+)$`,
    }),
    Type.Array(Type.String(), { minItems: 1 }),
    { default: {}, description: 'kinds of sources in order: the first with a word on the attribute wins' },
  ),
};
