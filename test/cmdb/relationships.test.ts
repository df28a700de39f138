/** What items are to each other: said by sources and people, kept as said, and shown as edges that never dangle. */

import { describe, expect, test } from 'vitest';
import { type Service, startService } from '../service.ts';

type Row = Record<string, unknown>;

async function world() {
  const service = await startService();
  return { ...service, ...callsOf(service) };
}

function callsOf(service: Service) {
  const { call } = service;
  const items = async <T = Row>(path: string) => ((await call('GET', path)).body as { items: T[] }).items;
  return {
    service,
    /** Registers an item and answers its id. */
    made: async (ci_name: string, more: Row = {}): Promise<string> => {
      const { status, body } = await call('POST', '/ci', { ci_name, ...more });
      expect(status, JSON.stringify(body)).toBeLessThan(300);
      return (body as { ci_id: string }).ci_id;
    },
    /** `depends_on db (strong) manual:admin`, or `<` before it where the other says so. */
    links: async (name: string, query = ''): Promise<string[]> => {
      const rows = await items<Record<string, string>>(`/ci/${name}/relationships${query}`);
      return rows.map(
        (row) =>
          `${row.direction === 'in' ? '< ' : ''}${row.relationship_type} ${row.ci_name} (${row.relationship_strength}) ${row.source}`,
      );
    },
    changes: async (name: string) => await items(`/ci/${name}/changes`),
    pass_of: async (source: string, ...list: Row[]) =>
      await call('POST', '/passes', { source, complete: true, items: list }),
  };
}

describe('a relationship in the body of an item', () => {
  test('is shown at both ends with who says it', async () => {
    const { call, made } = await world();
    const db = await made('db');
    const web = await made('web', {
      relationships: [{ relationship_type: 'depends_on', ci_id: db, note: 'its sessions' }],
    });

    const from = await call('GET', '/ci/web/relationships');
    const to = await call('GET', '/ci/db/relationships?direction=in');

    const edge = {
      relationship_type: 'depends_on',
      relationship_strength: 'strong',
      source: 'manual:admin',
      note: 'its sessions',
    };
    expect(from.body).toEqual({
      count: 1,
      next: null,
      items: [{ ...edge, direction: 'out', ci_id: db, ci_name: 'db', ci_type: 'machine' }],
    });
    expect(to.body).toEqual({
      count: 1,
      next: null,
      items: [{ ...edge, direction: 'in', ci_id: web, ci_name: 'web', ci_type: 'machine' }],
    });
  });

  test('stands in place of what that source said before; left out it stands, and [] or null takes it back', async () => {
    const { call, made, links } = await world();
    for (const name of ['db', 'cache', 'switch']) await made(name);
    const says = (...names: string[]) => ({
      relationships: names.map((ci_name) => ({ relationship_type: 'depends_on', ci_name })),
    });
    await made('web', says('db', 'cache'));
    const first = await links('web');

    await call('PATCH', '/ci/web', says('switch'));
    await call('PATCH', '/ci/web', { notes: 'in the cellar' });
    const second = await links('web');
    await call('PATCH', '/ci/web', { relationships: [] });
    const none = await links('web');
    await call('PATCH', '/ci/web', says('db'));
    await call('PATCH', '/ci/web', { relationships: null });

    expect(first).toEqual(['depends_on cache (strong) manual:admin', 'depends_on db (strong) manual:admin']);
    expect(second).toEqual(['depends_on switch (strong) manual:admin']);
    expect(none).toEqual([]);
    expect(await links('web')).toEqual([]);
  });
});
