/** What a change to one item means for others: by which relationships, how strong, and what is left out. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ChangeType, changeTypes } from '../../src/cmdb/carrying.ts';
import { type AffectedCredential, impactOf } from '../../src/cmdb/impact.ts';
import type { ItemId } from '../../src/cmdb/item.ts';
import { type Service, startService } from '../service.ts';

type Row = Record<string, unknown>;
interface Step {
  ci_name: string;
  relationship_type: string;
}
interface Affected extends Row {
  ci_id: string;
  ci_name: string;
  strength: string;
  path: Step[];
}
interface Impact extends Row {
  directly_affected: Affected[];
  indirectly_affected: Affected[];
  cycles: Step[][];
  truncated: boolean;
}

/** `web depends_on db critical`, in a reading of a file; names alone are items without relationships. */
async function house(lines: readonly string[], options: Parameters<typeof startService>[0] = {}) {
  const service = await startService(options);
  const { call } = service;
  await read(service, lines);
  const impact = async (name: string, query = ''): Promise<Impact> => {
    const { status, body } = await call('GET', `/ci/${name}/impact${query}`);
    expect(status, JSON.stringify(body)).toBe(200);
    return body as Impact;
  };
  /** `web critical: web depends_on db`, each affected item with all of its path. */
  const told = async (name: string, query = '') => {
    const { directly_affected, indirectly_affected } = await impact(name, query);
    const row = ({ ci_name, strength, path }: Affected) => `${ci_name} ${strength}: ${inWords(path)} ${name}`;
    return [...directly_affected, ...indirectly_affected].map(row);
  };
  return { ...service, impact, told };
}

const inWords = (path: readonly Step[]) =>
  path
    .toReversed()
    .map(({ ci_name, relationship_type }) => `${ci_name} ${relationship_type}`)
    .join(' ');

async function read({ call }: Pick<Service, 'call'>, lines: readonly string[], source = 'import:house') {
  const items = new Map<string, Row & { relationships: Row[] }>();
  const item = (ci_name: string) => {
    const made = items.get(ci_name) ?? { ci_name, ci_type: 'virtual_machine', relationships: [] };
    items.set(ci_name, made);
    return made;
  };
  for (const line of lines) {
    const [name = '', relationship_type, other, relationship_strength = 'strong'] = line.split(' ');
    item(name);
    if (!relationship_type || !other) continue;
    item(other);
    item(name).relationships.push({ relationship_type, relationship_strength, ci_name: other });
  }
  const { status, body } = await call('POST', '/passes', { source, complete: true, items: [...items.values()] });
  expect([status, (body as { errors: unknown[] }).errors]).toEqual([200, []]);
}

describe('an impact', () => {
  test('tells who is hit, directly and through others, with strength and path', async () => {
    const { call, impact } = await house(['web runs_on host critical', 'shop depends_on web', 'host', 'other']);
    const ids = new Map(
      ((await call('GET', '/ci')).body as { items: Row[] }).items.map(({ ci_name, ci_id }) => [ci_name, ci_id]),
    );

    const answer = await impact('host', '?change_type=reboot');

    const web = { ci_id: ids.get('web'), ci_name: 'web' };
    const shop = { ci_id: ids.get('shop'), ci_name: 'shop' };
    const known = { ci_type: 'virtual_machine', ci_status: 'active' };
    const onHost = { ...web, relationship_type: 'runs_on' };
    expect(answer).toEqual({
      primary_ci: { ci_id: ids.get('host'), ci_name: 'host', ci_type: 'virtual_machine' },
      change_type: 'reboot',
      directly_affected: [{ ...web, ...known, strength: 'critical', path: [onHost] }],
      indirectly_affected: [
        { ...shop, ...known, strength: 'strong', path: [onHost, { ...shop, relationship_type: 'depends_on' }] },
      ],
      credentials_affected: [],
      cycles: [],
      truncated: false,
    });
  });

  test('takes the strongest path, and of equally strong ones the shortest', async () => {
    const { told } = await house([
      'app depends_on db weak',
      'app depends_on cache critical',
      'cache depends_on proxy critical',
      'cache depends_on db strong',
      'proxy depends_on db critical',
      'page depends_on proxy strong',
      'page depends_on app strong',
    ]);

    expect(await told('db')).toEqual([
      'proxy critical: proxy depends_on db',
      'cache critical: cache depends_on proxy depends_on db',
      'app critical: app depends_on cache depends_on proxy depends_on db',
      'page strong: page depends_on proxy depends_on db',
    ]);
  });

  test('leaves out what is weaker than asked for, and unless asked what is weak', async () => {
    const { told } = await house(['a depends_on db critical', 'b depends_on db strong', 'c depends_on db weak']);
    const names = async (query: string) => (await told('db', query)).map((line) => line.split(' ')[0]);

    expect(await names('')).toEqual(['a', 'b']);
    expect(await names('?min_strength=critical')).toEqual(['a']);
    expect(await names('?min_strength=weak')).toEqual(['a', 'b', 'c']);
  });

  test('cuts circles, and tells each', async () => {
    const { impact, told } = await house([
      'a depends_on db',
      'b depends_on a',
      'c depends_on b',
      'a depends_on c',
      'd depends_on c',
    ]);

    expect(await told('db')).toEqual([
      'a strong: a depends_on db',
      'b strong: b depends_on a depends_on db',
      'c strong: c depends_on b depends_on a depends_on db',
      'd strong: d depends_on c depends_on b depends_on a depends_on db',
    ]);
    expect((await impact('db')).cycles.map(inWords)).toEqual(['a depends_on c depends_on b depends_on']);
    expect((await impact('b')).cycles.map(inWords)).toEqual(['b depends_on a depends_on c depends_on']);
    expect((await told('b')).some((line) => line.startsWith('b '))).toBe(false);
  });

  test('does not reach what is retired or hidden, nor anything through it', async () => {
    const lines = [
      'old depends_on db',
      'a depends_on old',
      'gone depends_on db',
      'b depends_on gone',
      'c depends_on db',
    ];
    const { call, told } = await house(lines);
    await call('PUT', '/ci/old', { ci_status: 'retired' });
    await call('DELETE', '/ci/gone');

    expect(await told('db')).toEqual(['c strong: c depends_on db']);
    expect(await told('old')).toEqual(['a strong: a depends_on old']);
  });

  test('takes the strongest of what several sources say of one relationship', async () => {
    const { told, call } = await house(['web depends_on db weak']);
    await read({ call }, ['web depends_on db critical'], 'import:other');

    expect(await told('db')).toEqual(['web critical: web depends_on db']);
  });

  test('is refused for a strength that is none, and for an item that is not known', async () => {
    const { call } = await house(['web']);

    expect((await call('GET', '/ci/web/impact?min_strength=big')).status).toBe(400);
    expect((await call('GET', '/ci/ghost/impact')).status).toBe(404);
  });
});

describe('which way a relationship carries', () => {
  test.each([
    ['depends_on', ['user'], []],
    ['runs_on', ['user'], []],
    ['connects_to', ['user'], []],
    ['member_of', ['user'], []],
    ['part_of', ['user'], []],
    ['powered_by', ['user'], []],
    ['hosts', [], ['used']],
    ['contains', [], ['used']],
    ['backs_up', [], []],
    ['provisioned_after', [], []],
  ])('%s', async (type, hitByOther, hitByItem) => {
    const { told } = await house([`user ${type} used`]);
    const names = async (name: string) => (await told(name)).map((line) => line.split(' ')[0]);

    expect(await names('used')).toEqual(hitByOther);
    expect(await names('user')).toEqual(hitByItem);
  });

  test('a weak connection carries nothing, whatever is asked for', async () => {
    const { told } = await house(['user connects_to net weak', 'friend depends_on net weak']);

    expect(await told('net', '?min_strength=weak')).toEqual(['friend weak: friend depends_on net']);
  });

  test('settings give own words a direction and a reverse, and known ones another direction', async () => {
    const relationship_types = {
      powers: { hits: 'other', reverse: 'powered_by' },
      twin_of: { hits: 'both' },
      depends_on: { hits: 'none' },
      backs_up: { hits: 'other' },
    };
    const lines = ['ups powers host', 'a twin_of b', 'web depends_on host', 'vault backs_up host critical'];
    const { told } = await house(lines, { settings: { relationship_types } });

    expect(await told('ups')).toEqual(['host strong: host powered_by ups']);
    expect(await told('a')).toEqual(['b strong: b twin_of a']);
    expect(await told('b')).toEqual(['a strong: a twin_of b']);
    expect(await told('host')).toEqual([]);
    expect(await told('vault')).toEqual(['host critical: host backed_up_by vault']);
  });
});

describe('what each change means', () => {
  const types = ['depends_on', 'runs_on', 'connects_to', 'member_of', 'powered_by'];
  const table: Record<ChangeType | 'what the cat does', string> = {
    reboot: 'critical critical critical critical critical',
    shutdown: 'critical critical critical critical critical',
    migrate: 'weak weak - - weak',
    update: 'strong strong strong weak strong',
    destroy: 'critical critical critical critical critical',
    rotate_credential: 'critical - critical - critical',
    'what the cat does': 'critical critical critical critical critical',
  };

  test('for each type of relationship, as it is told too', async () => {
    const { call, impact } = await house(types.map((type) => `${type} ${type} db critical`));
    const rows = async (change: string) => {
      const { directly_affected } = await impact('db', `?min_strength=weak&change_type=${encodeURIComponent(change)}`);
      const strengths = new Map(directly_affected.map(({ ci_name, strength }) => [ci_name, strength]));
      return types.map((type) => strengths.get(type) ?? '-').join(' ');
    };

    const found = Object.fromEntries(
      await Promise.all(Object.keys(table).map(async (change) => [change, await rows(change)] as const)),
    );
    const told = (await call('GET', '/relationship-types')).body as {
      items: { relationship_type: string | null; carries: Row }[];
    };

    expect(found).toEqual(table);
    const carries = (type: string) =>
      told.items.find(({ relationship_type }) => relationship_type === (type === 'powered_by' ? null : type))?.carries;
    for (const change of changeTypes)
      expect(types.map((type) => String(carries(type)?.[change]).replace('none', '-')).join(' ')).toBe(table[change]);
  });

  test('a weaker relationship does not get stronger by it', async () => {
    const { told } = await house(['a depends_on db weak']);

    expect(await told('db', '?min_strength=weak&change_type=update')).toEqual(['a weak: a depends_on db']);
  });
});

describe('past the limits', () => {
  const most = { items: 100, hops: 100, steps: 100, cycles: 100 };

  test.each([
    ['items', { items: 2 }, ['a', 'b']],
    ['hops', { hops: 2 }, ['a', 'b']],
    ['steps', { steps: 4 }, ['a', 'b']],
    ['circles', { cycles: 0 }, ['a', 'b', 'c', 'd']],
    ['none', {}, ['a', 'b', 'c', 'd']],
  ])('of %s, what is nearest is told, and that there is more', async (which, limit, names) => {
    const { app, call } = await house([
      'a depends_on x',
      'b depends_on a',
      'c depends_on b',
      'd depends_on c',
      'c depends_on d',
    ]);
    const primary = (await call('GET', '/ci/x')).body as Parameters<typeof impactOf>[2];
    const question = { changeType: null, minStrength: 'strong' as const };

    const impact = await impactOf(app.store.read, {}, primary, question, undefined, { ...most, ...limit });

    expect([...impact.directly_affected, ...impact.indirectly_affected].map(({ ci_name }) => ci_name)).toEqual(names);
    expect(impact.truncated).toBe(which !== 'none');
  });
});

test('credentials are told by whoever keeps them', async () => {
  const { app, call } = await house(['db']);
  const primary = (await call('GET', '/ci/db')).body as Parameters<typeof impactOf>[2];
  const row = { credential_id: 'c', credential_name: 'root', ci_id: 'w', ci_name: 'web', role: null, path: [] };
  const keeper = (id: ItemId): Promise<AffectedCredential[]> => Promise.resolve(id === primary.ci_id ? [row] : []);

  const impact = await impactOf(app.store.read, {}, primary, { changeType: null, minStrength: 'weak' }, keeper);

  expect(impact.credentials_affected).toEqual([row]);
});

test('on random houses it is what a plain breadth-first search at each strength finds', async () => {
  const names = Array.from({ length: 9 }, (_, at) => `n${at}`);
  const strengths = ['critical', 'strong', 'weak'];
  const edge = fc.record({
    item: fc.constantFrom(...names),
    type: fc.constantFrom('depends_on', 'runs_on', 'hosts', 'connects_to'),
    strength: fc.constantFrom(...strengths),
    other: fc.constantFrom(...names),
  });
  const houses = fc.sample(fc.array(edge, { minLength: 10, maxLength: 30 }), { numRuns: 25, seed: 20_260_302 });
  const all = houses.flatMap((edges, at) =>
    edges
      .filter(({ item, other }) => item !== other)
      .map((one) => ({ ...one, item: `h${at}-${one.item}`, other: `h${at}-${one.other}` })),
  );
  const lines = all.map(({ item, type, other, strength }) => `${item} ${type} ${other} ${strength}`);
  // Of two strengths for one relationship a source's last word counts.
  const last = new Map(all.map((one) => [`${one.item} ${one.type} ${one.other}`, one]));
  const hits = [...last.values()].flatMap(({ item, type, other, strength }) => {
    if (type === 'connects_to' && strength === 'weak') return [];
    const [by, hit] = type === 'hosts' ? [item, other] : [other, item];
    return [{ by, hit, rank: strengths.indexOf(strength) }];
  });
  const { impact } = await house(lines);

  const primaries = [...new Set(all.flatMap(({ item, other }) => [item, other]))];
  let compared = 0;
  for (const primary of primaries)
    for (const [weakest, min_strength] of strengths.entries()) {
      const expected = new Map<string, string>();
      for (let rank = 0; rank <= weakest; rank += 1) {
        const hops = new Map([[primary, 0]]);
        for (const [name, far] of hops)
          for (const one of hits)
            if (one.by === name && one.rank <= rank && !hops.has(one.hit)) hops.set(one.hit, far + 1);
        for (const [name, far] of hops)
          if (name !== primary && !expected.has(name)) expected.set(name, `${strengths[rank]} ${far}`);
      }

      const { directly_affected, indirectly_affected } = await impact(primary, `?min_strength=${min_strength}`);

      const found = [...directly_affected, ...indirectly_affected];
      expect(new Map(found.map(({ ci_name, strength, path }) => [ci_name, `${strength} ${path.length}`]))).toEqual(
        expected,
      );
      expect(directly_affected.every(({ path }) => path.length === 1)).toBe(true);
      compared += found.length;
    }
  expect(compared).toBeGreaterThan(1000);
});
