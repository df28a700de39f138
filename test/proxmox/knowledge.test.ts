/** What was read is kept over restarts, and no more of it than is new. */

import { expect, test } from 'vitest';
import { Knowledge } from '../../src/proxmox/knowledge.ts';
import { loadKnowledge, storeNews } from '../../src/proxmox/store.ts';
import { openedStore } from '../store/world.ts';

const at = Temporal.Instant.from('2026-03-02T12:00:00Z');
const home = 'proxmox-api:home';
const office = 'proxmox-api:office';

test('what was learned is known again, of its own source alone', async () => {
  const store = await openedStore();
  const known = new Knowledge([]);
  known.learn('cluster', 'version', at, '9.1.4');
  known.learn('qemu/100', 'snapshots', at, [{ name: 'before', takenAt: null }]);
  known.learn('node/pve1', 'offline', at, null);
  await store.write((trx) => storeNews(trx, home, known));

  const again = await loadKnowledge(store.read, home);

  expect(again.of('cluster', 'version')).toEqual({ readAtMilliseconds: at.epochMilliseconds, content: '9.1.4' });
  expect(again.of('qemu/100', 'snapshots')).toEqual({
    readAtMilliseconds: at.epochMilliseconds,
    content: [{ name: 'before', takenAt: null }],
  });
  expect(again.of('node/pve1', 'offline')).toEqual({ readAtMilliseconds: at.epochMilliseconds, content: null });
  expect(again.of('qemu/100', 'config')).toBeUndefined();
  expect(again.subjectsOf('snapshots')).toEqual(['qemu/100']);
  expect((await loadKnowledge(store.read, office)).of('cluster', 'version')).toBeUndefined();
});

test('what is learned anew takes the place of the former, and what is forgotten goes', async () => {
  const store = await openedStore();
  const first = new Knowledge([]);
  first.learn('cluster', 'version', at, '8.4.1');
  first.learn('qemu/100', 'snapshots', at, []);
  first.learn('qemu/101', 'snapshots', at, []);
  await store.write((trx) => storeNews(trx, home, first));
  const second = await loadKnowledge(store.read, home);
  second.learn('cluster', 'version', at.add({ hours: 24 }), '9.1.4');
  second.forget('qemu/100', 'snapshots');
  second.forget('qemu/999', 'snapshots');
  await store.write((trx) => storeNews(trx, home, second));

  const third = await loadKnowledge(store.read, home);

  expect(third.of('cluster', 'version')?.content).toBe('9.1.4');
  expect(third.subjectsOf('snapshots')).toEqual(['qemu/101']);
});

test('news are what is new, and nothing twice', () => {
  const known = new Knowledge([
    { kind: 'version', subject: 'cluster', reading: { readAtMilliseconds: at.epochMilliseconds, content: '9.1.4' } },
    { kind: 'snapshots', subject: 'qemu/100', reading: { readAtMilliseconds: at.epochMilliseconds, content: [] } },
  ]);
  expect(known.news()).toEqual({ learned: [], forgotten: [] });

  known.learn('qemu/101', 'snapshots', at, []);
  known.forget('qemu/101', 'snapshots');
  known.forget('qemu/100', 'snapshots');
  known.learn('qemu/100', 'snapshots', at, [{ name: 'x', takenAt: null }]);

  expect(known.news()).toEqual({
    learned: [
      {
        kind: 'snapshots',
        subject: 'qemu/100',
        reading: { readAtMilliseconds: at.epochMilliseconds, content: [{ name: 'x', takenAt: null }] },
      },
    ],
    forgotten: [{ kind: 'snapshots', subject: 'qemu/101' }],
  });
});
