/** What an item is to others, with a command. */

import { expect, test } from 'vitest';
import { startService } from '../service.ts';
import { besides } from './run.ts';

async function world() {
  const service = await startService();
  for (const ci_name of ['web-1', 'db-1', 'user-1']) await service.call('POST', '/ci', { ci_name });
  return { ...service, rollcall: besides(service) };
}

test('two items are linked, looked at from both ends, and unlinked', async () => {
  const { call, rollcall } = await world();
  const relationships = [{ relationship_type: 'depends_on', ci_name: 'db-1' }];
  const machine = { ci_name: 'web-1', relationships };
  await call('POST', '/passes', { source: 'import:hosts', complete: true, items: [machine] });

  const link = await rollcall('ci', 'link', 'web-1', 'depends_on', 'db-1', '--strength', 'critical', '--note', 'x y');
  await rollcall('ci', 'link', 'user-1', 'connects_to', 'web-1');
  const links = await rollcall('ci', 'links', 'web-1');
  const from = await rollcall('ci', 'links', 'db-1', '--direction', 'out');
  const history = await rollcall('history', 'web-1', '--limit', '1');
  const unlink = await rollcall('ci', 'unlink', 'web-1', 'depends_on', 'db-1');
  const alone = await rollcall('ci', 'unlink', 'user-1', 'connects_to', 'web-1');

  expect(link).toEqual({ code: 0, stderr: '', stdout: 'web-1 depends_on db-1 (critical): x y.\n' });
  expect(links.stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['ITEM', 'RELATIONSHIP', 'ITEM', 'STRENGTH', 'SAID BY', 'NOTE'],
    ['web-1', 'depends_on', 'db-1', 'strong', 'import:hosts', '-'],
    ['web-1', 'depends_on', 'db-1', 'critical', 'manual:admin', 'x y'],
    ['user-1', 'connects_to', 'web-1', 'strong', 'manual:admin', '-'],
    [''],
  ]);
  expect(from.stdout).toBe('Nobody says that it is anything to any other item.\n');
  expect(history.stdout.split('\n')[1]).toBe('    relationships  +depends_on db-1 (critical): x y by manual:admin');
  expect(unlink.stdout).toBe('You no longer say that web-1 depends_on db-1; import:hosts still does.\n');
  expect(alone.stdout).toBe('You no longer say that user-1 connects_to web-1; nobody does.\n');
});

test('what cannot be is refused in the words of the command', async () => {
  const { call, rollcall } = await world();
  const items = [{ ci_name: 'web-1', relationships: [{ relationship_type: 'depends_on', ci_name: 'db-1' }] }];
  await call('POST', '/passes', { source: 'import:hosts', complete: true, items });

  const refused = [
    await rollcall('ci', 'link', 'web-1', 'depends_on', 'db-1', '--strength', 'very'),
    await rollcall('ci', 'link', 'web-1', 'Depends-On', 'db-1'),
    await rollcall('ci', 'link', 'web-1', 'depends_on', 'web-1'),
    await rollcall('ci', 'unlink', 'web-1', 'depends_on', 'db-1'),
    await rollcall('ci', 'set', 'web-1', 'relationships=null'),
  ];

  expect(refused.map(({ code, stderr }) => [code, stderr])).toEqual([
    [1, 'Nothing was changed.\n--strength must be one of "critical", "strong", "weak", not "very"\n'],
    [1, 'Nothing was changed.\nthe relationship must be a word in lower case with underscores, such as depends_on\n'],
    [1, 'Nothing was changed.\nthe other item is the item itself\n'],
    [1, 'You did not say that web-1 depends_on db-1; import:hosts does. It stands until taken back there.\n'],
    [1, 'relationships: rollcall ci link and unlink say what it is to others\n'],
  ]);
});
