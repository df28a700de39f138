/** The endpoint that tells which items somebody means. */

import { Type } from 'typebox';
import { orNull } from '../../check.ts';
import { type Endpoint, endpoint } from '../../http/endpoint.ts';
import type { Store } from '../../store/open.ts';
import type { Cmdb } from '../cmdb.ts';
import { matchItems, matchKinds, type Sought } from '../match.ts';

const mostThings = 10_000;
const text = Type.Optional(Type.String({ maxLength: 10_000 }));

const CandidateOnTheWire = Type.Object({
  ci_id: Type.String(),
  ci_name: Type.String(),
  ci_type: Type.String(),
  ci_status: Type.String(),
  site_id: Type.String(),
});

export function matchEndpoint(cmdb: Cmdb, store: Store): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/ci/match',
    scope: 'ci:read',
    tag: 'items',
    summary: 'Which items are meant by what is known of some things; nothing is written',
    description:
      'By the number in the cluster, UUID, serial or MAC, then by what Terraform calls it, then by the name, among items in use. ' +
      'What another number or UUID holds apart is not meant.',
    body: Type.Object(
      {
        things: Type.Array(
          Type.Object(
            {
              ci_name: text,
              ci_type: text,
              site_id: text,
              terraform_resource_id: text,
              terraform_addresses: Type.Optional(
                Type.Array(Type.String({ maxLength: 10_000 }), {
                  maxItems: 10,
                  description: 'such as proxmox_vm_qemu.web[0]',
                }),
              ),
              technical_specs: Type.Optional(
                Type.Object(
                  {
                    vmid: Type.Optional(Type.Integer({ minimum: 1 })),
                    node: text,
                    uuid: text,
                    serial: text,
                    macs: Type.Optional(Type.Array(Type.String({ maxLength: 100 }), { maxItems: 100 })),
                  },
                  { additionalProperties: false },
                ),
              ),
            },
            { additionalProperties: false },
          ),
          { maxItems: mostThings },
        ),
      },
      { additionalProperties: false, title: 'MatchBody' },
    ),
    bodyName: 'The question',
    answers: {
      200: Type.Object({
        results: Type.Array(
          Type.Object({
            ci: orNull(CandidateOnTheWire),
            by: orNull(Type.Enum([...matchKinds], { description: 'by what it was found' })),
            candidates: Type.Array(CandidateOnTheWire, { description: 'where it could be one of several' }),
          }),
          { description: 'in the order of the things' },
        ),
      }),
    },
    handle: async ({ body }) => [
      200,
      { results: await matchItems(store.read, cmdb.heart, body.things as unknown as Sought[]) },
    ],
  });
}
