/** Whether a cluster can be read: reachable, trusted, the token accepted, and each right that discovery wants. */

import { DomainError } from '../errors.ts';
import type { Finding } from '../module.ts';
import type { Secret } from '../secrets/secret.ts';
import { object, text } from './answer.ts';
import type { Api } from './client.ts';
import { lookAtCluster } from './itself.ts';
import { inWords } from './job.ts';
import { grantingCommands, majorOf, missingRights, type Rights, readRights } from './rights.ts';

export async function checkCluster(
  name: string,
  open: () => Promise<Api>,
  token: () => Promise<Secret>,
): Promise<Finding[]> {
  const check = `proxmox ${name}`;
  try {
    const api = await open();
    const version = text(object(await api.version.$get()).version) ?? null;
    const rights = readRights(await api.access.permissions.$get());
    const findings: Finding[] = [
      { check, state: 'ok', found: `Proxmox VE ${version ?? ''} answers, and takes the token` },
    ];
    const id = (await token()).reveal().split('=')[0] as string;
    findings.push(...rightsOf(check, rights, majorOf(version), id));
    if (findings.some(({ state }) => state === 'wrong')) return findings;
    const { itself } = await lookAtCluster(api, undefined);
    const called = itself.own_name === null ? 'a node that stands alone' : `cluster ${itself.own_name}`;
    findings.push(
      itself.has_quorum
        ? { check, state: 'ok', found: `${called}, ${itself.nodes.map((node) => node.name).join(', ')}` }
        : {
            check,
            state: 'wrong',
            found: `${called} has no quorum, and answers from its last copy`,
            to_do: 'Bring more of its nodes back: "pvecm status" on a node says which are missing.',
          },
    );
    return findings;
  } catch (error) {
    const told = await inWords(error, name, token);
    if (!(told instanceof Error)) throw error;
    const [found, ...more] = told.message.split('\n');
    return [{ check, state: 'wrong', found: found as string, ...(more.length > 0 ? { to_do: more.join('\n') } : {}) }];
  }
}

function rightsOf(check: string, rights: Rights, major: number, tokenId: string): Finding[] {
  const missing = missingRights(rights, major);
  if (missing.length === 0) return [{ check, state: 'ok', found: 'the token has every right that discovery wants' }];
  const commands = grantingCommands(tokenId, missing, major);
  return [
    {
      check,
      state: missing.some(({ isNeeded }) => isNeeded) ? 'wrong' : 'note',
      found: missing
        .map(({ right, path, what }) => `it lacks ${right} on ${path}, so that it does not see ${what}`)
        .join('; '),
      to_do: `On a node, as root:\n${commands.join('\n')}`,
    },
  ];
}

/** For one that is not in the settings. */
export function unknownCluster(name: string, known: readonly string[]): DomainError {
  const list = known.length === 0 ? 'none is' : `${known.join(', ')} ${known.length === 1 ? 'is' : 'are'}`;
  return new DomainError('not_found', `There is no cluster ${name} in the settings under proxmox.clusters; ${list}.`);
}
