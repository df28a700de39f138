/** The settings under `runs`. */

import { Type } from 'typebox';
import { knownFacts } from './facts.ts';

export const runsSettings = Type.Object(
  {
    keep_days: Type.Integer({
      minimum: 1,
      maximum: 36_500,
      default: 90,
      description: 'days for which the results of a run are kept; its totals are kept for ever',
    }),
    stale_days: Type.Integer({
      minimum: 1,
      maximum: 36_500,
      default: 30,
      description: 'days after which a host that no playbook configured since is in the group stale',
    }),
    register_hosts: Type.Boolean({
      default: false,
      description: 'whether the facts of a host that is not known make an item of it',
    }),
    facts: Type.Array(Type.Enum([...knownFacts]), {
      default: [...knownFacts],
      description: 'what is kept of the facts that playbooks gather',
    }),
  },
  { additionalProperties: false, default: {} },
);
