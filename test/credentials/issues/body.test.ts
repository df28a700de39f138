/** What an issue says, to the letter; and names and notes that try to say something else. */

import { expect, test } from 'vitest';
import { markerOf, startWorld } from './world.ts';

test('an issue says what is due, what it touches, what to do and how urgent it is', async () => {
  const { service, add, run, issue, labels, posts } = await startWorld({
    github: { owners: { 'ann@example.org': 'alice' }, default_assignees: ['bob'] },
  });
  const item = { ci_type: 'virtual_machine' };
  await service.call('POST', '/ci', { ...item, ci_name: 'pve-1' });
  const relationships = [{ relationship_type: 'depends_on', ci_name: 'pve-1' }];
  await service.call('POST', '/ci', { ...item, ci_name: 'web-1', relationships });
  const id = await add({
    owner_email: 'ann@example.org',
    vaultwarden_item_id: 'cmdb/pve',
    next_rotation_due: '2026-03-12',
    runbook_url: 'https://wiki.example.org/rotate',
    notes: 'behind the router',
    associations: [{ ci_name: 'pve-1', role: 'deploy' }],
  });

  const first = await run();
  await run();

  expect(first).toMatchObject({ outcome: 'good', error: null, opened: 1 });
  expect(posts()).toBe(1);
  const { title, body, assignees } = issue(1);
  expect(title).toBe('Rotate credential: pve token');
  expect(labels(1)).toEqual(['credential-rotation', 'domain:security', 'priority:medium']);
  expect(assignees.map(({ login }) => login)).toEqual(['alice']);
  expect(body?.replaceAll(id, 'ID')).toBe(`## Credential Rotation Required

**Credential:** \`pve token\`  
**Type:** \`api_token\`  
**Current Rotation Due:** 2026-03-12  
**Owner:** \`ann@example.org\`  
**VaultWarden Item:** \`cmdb/pve\`  
**Runbook:** <https://wiki.example.org/rotate>  
**Notes:** \`behind the router\`  

### Associated Systems

These use it:

- \`pve-1\` (virtual_machine, \`site-home\`): \`deploy\`

And these depend on them:

- \`web-1\` (virtual_machine): \`depends_on pve-1\`

### Rotation Procedure

- [ ] Generate the new secret
- [ ] Update the vault item
- [ ] Update the associated systems
- [ ] Mark it rotated in Rollcall
- [ ] Close this issue

It is marked rotated by \`rollcall credentials rotated ID\`, or by a new password in its vault item.

### Urgency

**Medium**: it is due in 10 days, on 2026-03-12.

${markerOf('ID', '2026-03-12')}
`);
});

test.each([
  ['nobody is named', {}, [], []],
  ['the owner is in no line', { owner_email: 'eve@example.org' }, ['bob'], ['bob']],
  ['nobody knows the one who is named', {}, ['mallory', 'bob'], ['bob']],
])('who it is given to, where %s', async (_, words, default_assignees, people) => {
  const { add, run, issue } = await startWorld({ github: { default_assignees } });
  await add({ next_rotation_due: '2026-03-12', ...words });

  const { outcome, error } = await run();

  expect(issue(1).assignees.map(({ login }) => login)).toEqual(people);
  const isTold = default_assignees.includes('mallory');
  expect(outcome).toBe(isTold ? 'partial' : 'good');
  if (isTold) expect(error).toContain('It is not given to mallory');
});

test('the policy of its type says what to do, whose it is and how urgent it is at least', async () => {
  const policy = { lead_days: 30, priority: 'high', procedure: ['Do this', 'Then that'], owner: 'team-a' };
  const { add, run, issue, labels } = await startWorld({
    github: { owners: { 'team-a': 'alice' } },
    settings: { credentials: { policies: { api_token: policy } } },
  });
  await add({ next_rotation_due: '2026-04-01' });

  await run();

  expect(labels(1)).toContain('priority:high');
  expect(issue(1).body).toContain('\n- [ ] Do this\n- [ ] Then that\n');
  expect(issue(1).assignees.map(({ login }) => login)).toEqual(['alice']);
});

const foreign = markerOf('00000000-0000-4000-8000-000000000000', '2026-03-12');
const hostile = [
  ['backticks', '``` `a` ``'],
  ['a backtick at its end', 'a`'],
  ['a mention', '@octocat @team/all'],
  ['a reference', '#1 octo/infra#1 GH-1'],
  ['a marker', foreign],
  ['a marker in a line of its own', `a\n${foreign}\nb`],
  ['a marker after what ends lines elsewhere', `a\u2028${foreign}\u2029\u0085${foreign}`],
  ['a table', 'a | b'],
  ['a link', '](http://x) [a](http://x) <http://x>'],
  ['a heading', '\n# Big\n\n- [x] Generate the new secret\n'],
  ['HTML', '<img src=x> <!-- hidden'],
  ['a turn of direction', 'a\u202Eb\u2066c\u200Bd\uFEFF'],
  ['half a character', 'a\uD800b'],
] as const;

test.each(hostile)('%s in names and notes means nothing', async (_, text) => {
  const { service, add, run, issue, posts, comments, say } = await startWorld();
  const { status } = await service.call('POST', '/ci', { ci_name: text, ci_type: 'virtual_machine' });
  const id = await add({
    credential_name: `x ${text}`,
    owner_email: text,
    vaultwarden_item_id: text,
    notes: text,
    next_rotation_due: '2026-03-12',
    ...(status < 300 ? { associations: [{ ci_name: text, role: text }] } : {}),
  });

  await run();
  await run();
  const body = issue(1).body ?? '';
  await say('POST', `/credentials/${id}/snooze`, { until: '1d', reason: text, by: text });
  await run();
  await say('POST', `/credentials/${id}/rotated`, { note: text });

  expect(posts()).toBe(1);
  expect(body.match(/^<!-- rollcall:credential=.*$/gm)).toEqual([markerOf(id, '2026-03-12')]);
  expect(outsideOfCode(body).replaceAll(id, 'ID')).toBe(expectedOutside(status < 300));
  for (const said of comments(1)) expect(outsideOfCode(said)).not.toMatch(/[@#|[\]\u202E]|<(?!!-- rollcall:said=)/);
  expect(comments(1)).toHaveLength(2);
});

test('a name that is too long for a title is cut, between two characters', async () => {
  const { add, run, issue } = await startWorld();
  await add({ credential_name: '🔑'.repeat(200), next_rotation_due: '2026-03-12' });

  await run();
  const again = await run();

  expect(issue(1).title).toBe(`Rotate credential: ${'🔑'.repeat(118)}…`);
  expect(again).toMatchObject({ outcome: 'good', updated: 0 });
});

test('an issue stays as long as may be, however much a credential touches', async () => {
  const { service, add, run, issue } = await startWorld();
  const names = Array.from({ length: 120 }, (_, index) => `${'w'.repeat(80)}-${index}`);
  const items = names.map((ci_name) => ({ ci_name, ci_type: 'virtual_machine' }));
  await service.call('POST', '/ci/bulk', { items });
  await add({
    notes: 'n'.repeat(9000).replaceAll('nnn', 'n n'),
    next_rotation_due: '2026-03-12',
    associations: names.map((ci_name) => ({ ci_name, role: 'r'.repeat(80) })),
  });

  const { outcome } = await run();

  expect(outcome).toBe('good');
  expect(issue(1).body?.match(/^- `w+-\d+`/gm)).toHaveLength(50);
  expect(issue(1).body).toContain('\n- and 70 more\n');
});

/** As CommonMark takes code spans: between two runs of backticks of the same length. */
function outsideOfCode(body: string): string {
  return body.replaceAll(/(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g, 'CODE');
}

function expectedOutside(hasSystem: boolean): string {
  return `## Credential Rotation Required

**Credential:** CODE  
**Type:** CODE  
**Current Rotation Due:** 2026-03-12  
**Owner:** CODE  
**VaultWarden Item:** CODE  
**Notes:** CODE  

### Associated Systems

${hasSystem ? 'These use it:\n\n- CODE (virtual_machine, CODE): CODE' : 'None is known to use it.'}

### Rotation Procedure

- [ ] Generate the new secret
- [ ] Update the vault item
- [ ] Update the associated systems
- [ ] Mark it rotated in Rollcall
- [ ] Close this issue

It is marked rotated by CODE, or by a new password in its vault item.

### Urgency

**Medium**: it is due in 10 days, on 2026-03-12.

${markerOf('ID', '2026-03-12')}
`;
}
