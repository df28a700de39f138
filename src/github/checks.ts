/** Whether issues can be kept: the tracker answers, takes the token, and the repository is there and takes them. */

import type { Finding } from '../module.ts';
import type { Clock } from '../time.ts';
import { millisecondsOf } from '../time.ts';
import { sameName } from './answer.ts';
import type { Api, Repository } from './api.ts';
import { TrackerError } from './tracker.ts';

const check = 'github';
const soonDays = 14;
const dayMilliseconds = 86_400_000;

export async function checkTracker(
  api: Api,
  listed: Readonly<Record<string, string>>,
  clock: Clock,
): Promise<Finding[]> {
  try {
    const repository = await api.readRepository();
    const findings = repositoryFindings(api, repository);
    // A right to issues that is lacking shows here first, with its name.
    if (repository.hasIssues)
      for await (const _ of api.pages(await api.inRepository('/issues'), { state: 'open', ...listed })) break;
    const isWrong = findings.some(({ state }) => state === 'wrong');
    const answers = {
      check,
      state: 'ok',
      found: `${api.called} answers, and shows the issues of ${repository.name}`,
    } as const;
    return [...(isWrong ? [] : [answers]), ...findings, ...expiryFindings(api, clock)];
  } catch (error) {
    if (!(error instanceof TrackerError)) throw error;
    return [{ check, state: 'wrong', found: error.message }, ...expiryFindings(api, clock)];
  }
}

function repositoryFindings(api: Api, { name, isArchived, hasIssues, mayLabel, scopes }: Repository): Finding[] {
  const findings: Finding[] = [];
  if (!sameName(name, api.repository))
    findings.push({
      check,
      state: 'note',
      found: `the repository ${api.repository} is called ${name} now`,
      to_do: `Write that into github.repository: somebody else may take the old name.`,
    });
  if (isArchived)
    findings.push({
      check,
      state: 'wrong',
      found: `the repository ${name} is archived, and takes no issues`,
      to_do: 'Take it out of the archive, or name another one in github.repository.',
    });
  if (!hasIssues)
    findings.push({
      check,
      state: 'wrong',
      found: `the repository ${name} keeps no issues`,
      to_do: 'Switch issues on in its settings, or name another one in github.repository.',
    });
  if (mayLabel === false)
    findings.push({
      check,
      state: 'wrong',
      found: `whoever the token is of may not label issues of ${name}, and ones without labels would not be found again`,
      to_do: `Give them the role Triage or Write in ${name}.`,
    });
  if (scopes !== undefined && scopes !== '' && !/(^|[\s,])(repo|public_repo)([\s,]|$)/.test(scopes))
    findings.push({
      check,
      state: 'wrong',
      found: `the token is for ${scopes}, and for no repository`,
      to_do: 'Give it the scope repo; or make a fine-grained one that may read and write issues of this repository.',
    });
  return findings;
}

function expiryFindings(api: Api, clock: Clock): Finding[] {
  const end = api.tokenExpiresAt();
  if (end === undefined) return [];
  if (end === null) return [{ check, state: 'ok', found: 'the token has no end' }];
  const days = Math.floor((millisecondsOf(end) - clock().epochMilliseconds) / dayMilliseconds);
  const found = `the token ends on ${end.slice(0, 10)}`;
  if (days > soonDays) return [{ check, state: 'ok', found }];
  return [{ check, state: 'note', found, to_do: 'Make a new one, and put it where github.token says.' }];
}
