/** What people decide of who is whom, over HTTP. */

import { describe, expect, test } from 'vitest';
import { type Service, startService } from '../service.ts';

interface Row {
  ci_id: string;
  ci_name: string;
  [key: string]: unknown;
}

const guest = (ci_name: string, vmid: number, technical_specs: object = {}) => ({
  ci_type: 'virtual_machine',
  ci_name,
  ci_status: 'running',
  external_id: String(vmid),
  technical_specs: { vmid, node: 'pve1', ...technical_specs },
});

/** Guests of a hypervisor, and the same machine once more in a file, under a name of its own. */
async function world() {
  const service = await startService();
  const { call, pass } = service;
  const read = async (source: string, items: object[]) => {
    const { status } = await call('POST', '/passes', { source, complete: true, items });
    expect(status).toBe(200);
    pass({ minutes: 1 });
  };
  await read('proxmox-api:home', [guest('web-1', 101), guest('db-1', 102)]);
  await read('import:hosts.yml', [{ ci_type: 'machine', ci_name: 'www', ansible: { groups: ['webservers'] } }]);
  const item = async (name: string) => (await call('GET', `/ci/${name}`)).body as Row;
  return { ...service, read, item };
}

const claimsOf = async ({ call }: Pick<Service, 'call'>, name: string) =>
  ((await call('GET', `/ci/${name}/claims`)).body as { items: { claim_id: string; source: string }[] }).items;
const namesOf = (list: unknown) => (list as { items: Row[] }).items.map(({ ci_name }) => ci_name).sort();

describe('a merge', () => {
  test('makes one item of two, with a reason in the history of both', async () => {
    const { call, item } = await world();
    const [web, www] = [await item('web-1'), await item('www')];

    const { status, body } = await call('POST', '/ci/web-1/merge', { other: 'www', reason: 'one and the same' });

    expect({ status, body }).toMatchObject({
      status: 200,
      body: { ci_id: web.ci_id, ci_name: 'web-1', ansible: { groups: ['webservers'] } },
    });
    const { items } = (await call('GET', '/ci/web-1/changes')).body as { items: Row[] };
    expect(items.map(({ subject_id, action, reason }) => [subject_id, action, reason])).toEqual([
      [www.ci_id, 'merged', 'one and the same'],
      [web.ci_id, 'updated', 'one and the same'],
      [www.ci_id, 'created', null],
      [web.ci_id, 'created', null],
    ]);
  });

  test('leaves an id that answers with the survivor everywhere, and a name that stands in no list', async () => {
    const { call, item } = await world();
    const [web, www] = [await item('web-1'), await item('www')];
    await call('POST', '/ci/web-1/merge', { other: www.ci_id });
    const old = `/ci/${www.ci_id}`;

    const answers = {
      read: await call('GET', old),
      put: await call('PUT', old, { owner: 'alice' }),
      patch: await call('PATCH', old, { notes: 'new' }),
      pinned: await call('PUT', `${old}/pins/role`, { value: 'web', reason: 'mine' }),
      held: await call('PUT', `${old}/hold`, { reason: 'new disk' }),
      released: await call('DELETE', `${old}/hold`),
      explained: await call('GET', `${old}/explain`),
      identity: await call('GET', `${old}/identity`),
    };
    const lists = {
      changes: [await call('GET', `${old}/changes`), await call('GET', '/ci/web-1/changes')],
      claims: [await call('GET', `${old}/claims`), await call('GET', '/ci/web-1/claims')],
      pins: [await call('GET', `${old}/pins`), await call('GET', '/ci/web-1/pins')],
    };
    const why = await call('GET', `/inventory/why/${www.ci_id}`);
    const drift = await call('GET', `/drift?ci_id=${www.ci_id}`);
    const all = namesOf((await call('GET', '/ci')).body);
    const byName = await call('GET', '/ci/by-name/www');
    const inventory = (await call('GET', '/inventory')).body;
    const hidden = await call('DELETE', old);

    for (const [name, { status, body }] of Object.entries({ ...answers, hidden }))
      expect({ name, status, body }).toMatchObject({ name, status: 200, body: { ci_id: web.ci_id } });
    for (const [name, [one, other]] of Object.entries(lists))
      expect({ name, status: one?.status, body: one?.body }).toEqual({ name, status: 200, body: other?.body });
    expect([why.status, drift.status]).toEqual([200, 200]);
    expect(all).not.toContain('www');
    expect(byName.status).toBe(404);
    expect([web, www].map(({ ci_id }) => JSON.stringify(inventory).split(`"${ci_id}"`).length - 1)).toEqual([1, 0]);
    expect(hidden.body).toMatchObject({ deleted_at: expect.any(String) as unknown });
  });

  test('that is done already changes nothing', async () => {
    const { call, item } = await world();
    const www = await item('www');
    await call('POST', '/ci/web-1/merge', { other: 'www' });
    const before = (await call('GET', '/ci/web-1/changes')).body;

    const again = await call('POST', '/ci/web-1/merge', { other: www.ci_id });

    expect(again).toMatchObject({ status: 200, body: { ci_name: 'web-1' } });
    expect((await call('GET', '/ci/web-1/changes')).body).toEqual(before);
  });

  test('is refused in plain words where there is nothing to merge', async () => {
    const { call, read, item } = await world();
    await read('import:lab.yml', [
      { ci_type: 'machine', ci_name: 'twin', site_id: 'site-a' },
      { ci_type: 'machine', ci_name: 'twin', site_id: 'site-b', external_id: 'other' },
    ]);
    const { ci_id } = await item('web-1');

    const merge = async (body: object, name = 'web-1') => {
      const answer = (await call('POST', `/ci/${name}/merge`, body)).body as Row;
      return [answer.status, answer.detail, ...((answer.errors as object[] | undefined) ?? [])];
    };

    expect(await merge({ other: 'web-1' })).toMatchObject([400, '/other is the item itself.', { pointer: '/other' }]);
    expect(await merge({ other: ci_id })).toMatchObject([400, '/other is the item itself.', { pointer: '/other' }]);
    expect(await merge({})).toMatchObject([400, expect.any(String), { pointer: '/other' }]);
    expect(await merge({ other: 'www', reason: ' ' })).toMatchObject([400, expect.any(String), { pointer: '/reason' }]);
    expect(await merge({ other: 'ghost' })).toMatchObject([404, 'No configuration item is named ghost.']);
    expect(await merge({ other: 'www' }, 'ghost')).toMatchObject([404, 'No configuration item is named ghost.']);
    expect(await merge({ other: 'twin' })).toMatchObject([
      409,
      '2 configuration items are named twin; say which with ci_type and site_id, or by its id.',
    ]);
  });
});

describe('a split', () => {
  test('gives claims their former item back, which answers for itself again', async () => {
    const { call, item } = await world();
    const www = await item('www');
    await call('POST', '/ci/web-1/merge', { other: 'www' });
    const claims = await claimsOf({ call }, 'web-1');
    const imported = claims.filter(({ source }) => source === 'import:hosts.yml').map(({ claim_id }) => claim_id);

    const { status, body } = await call('POST', '/ci/web-1/split', { claims: imported, reason: 'a mistake' });

    expect({ status, body }).toMatchObject({ status: 200, body: { ci_id: www.ci_id, ci_name: 'www' } });
    expect((await call('GET', `/ci/${www.ci_id}`)).body).toMatchObject({ ci_id: www.ci_id });
    const { items } = (await call('GET', `/ci/${www.ci_id}/changes`)).body as { items: Row[] };
    expect(items.map(({ action, reason }) => [action, reason])).toEqual([
      ['split', 'a mistake'],
      ['merged', null],
      ['created', null],
    ]);
  });

  test('is remembered: the next reading does not undo it', async () => {
    const { call, read } = await world();
    const both = [guest('nas', 103, { serial: 'S-1' })];
    await read('proxmox-api:home', [guest('web-1', 101), guest('db-1', 102), ...both]);
    await read('terraform:infra', [{ ci_type: 'virtual_machine', ci_name: 'nas', external_id: 'tf.nas' }]);
    const [claim] = (await claimsOf({ call }, 'nas')).filter(({ source }) => source === 'terraform:infra');

    const { status, body } = await call('POST', '/ci/nas/split', { claims: [claim?.claim_id] });
    await read('terraform:infra', [{ ci_type: 'virtual_machine', ci_name: 'nas', external_id: 'tf.nas', tags: ['x'] }]);

    expect(status).toBe(200);
    const { items } = (await call('GET', '/ci?ci_name=nas')).body as { items: Row[] };
    expect(items).toHaveLength(2);
    expect(items.find(({ ci_id }) => ci_id === (body as Row).ci_id)).toMatchObject({ tags: ['x'] });
  });

  test('is of claims of this item, and not of all of them', async () => {
    const { call } = await world();
    const own = (await claimsOf({ call }, 'web-1')).map(({ claim_id }) => claim_id);
    const foreign = (await claimsOf({ call }, 'db-1')).map(({ claim_id }) => claim_id);

    const split = async (claims: string[]) => {
      const answer = (await call('POST', '/ci/web-1/split', { claims })).body as Row;
      return [answer.status, answer.detail];
    };

    expect(await split(foreign)).toEqual([
      400,
      '/claims must be claims of this item; GET /ci/{ci_id}/claims lists them.',
    ]);
    expect(await split(own)).toEqual([400, '/claims are all that the item has; there is nothing to split it from.']);
    expect(await split([])).toMatchObject([400, expect.any(String)]);
  });
});

describe('an adoption', () => {
  /** db-1 was destroyed and made anew under another number and name. */
  async function anew() {
    const one = await world();
    await one.call('PUT', '/ci/db-1', { ansible: { groups: ['databases'] }, owner: 'alice' });
    one.pass({ minutes: 1 });
    await one.read('proxmox-api:home', [guest('web-1', 101), guest('db-new', 202)]);
    return one;
  }

  test('hands what people gave a dead item to the living one that goes on for it', async () => {
    const { call, item } = await anew();
    const dead = await item('db-1');

    const { status, body } = await call('POST', '/ci/db-new/adopt', { from: 'db-1', reason: 'made anew' });

    expect(dead).toMatchObject({ ci_status: 'missing' });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { ci_name: 'db-new', owner: 'alice', ansible: { name: 'db-1', groups: ['databases'] } },
    });
    const [change] = ((await call('GET', '/ci/db-new/changes')).body as { items: Row[] }).items;
    expect(change).toMatchObject({ action: 'updated', reason: 'made anew', source: 'manual:admin' });
  });

  test('finds the dead one among its namesakes', async () => {
    const { call, item, read, pass } = await world();
    const [web, old] = [guest('web-1', 101), guest('db-1', 102, { macs: ['52:54:00:00:00:01'] })];
    await read('proxmox-api:home', [web, old]);
    await call('PUT', '/ci/db-1', { owner: 'alice', ci_status: 'retired' });
    const dead = await item('db-1');
    pass({ minutes: 1 });
    await read('proxmox-api:home', [web, guest('db-1', 303, { macs: ['52:54:00:00:00:02'] })]);

    const { status, body } = await call('POST', '/ci/db-1/adopt', { from: 'db-1' });

    expect({ status, body }).toMatchObject({ status: 200, body: { ci_name: 'db-1', owner: 'alice' } });
    expect((body as Row).ci_id).not.toBe(dead.ci_id);
  });

  test('is of what is gone alone', async () => {
    const { call } = await anew();

    const adopt = async (from: string) => {
      const answer = (await call('POST', '/ci/db-new/adopt', { from })).body as Row;
      return [answer.status, answer.detail];
    };

    expect(await adopt('web-1')).toEqual([
      409,
      'web-1 is running: only what is missing or retired is gone on for. Merge the two if they are one.',
    ]);
    expect(await adopt('ghost')).toEqual([404, 'No configuration item is named ghost.']);
    expect(await adopt('db-new')).toEqual([400, '/from is the item itself.']);
  });
});

describe('a conflict', () => {
  /** An entry of a file that has the MACs of two guests. */
  async function torn() {
    const one = await world();
    const [a, b] = ['52:54:00:00:00:01', '52:54:00:00:00:02'];
    await one.read('proxmox-api:home', [guest('web-1', 101, { macs: [a] }), guest('db-1', 102, { macs: [b] })]);
    const both = { ci_type: 'machine', ci_name: 'both', technical_specs: { macs: [a, b] }, tags: ['torn'] };
    await one.read('import:lab.yml', [both]);
    const { items } = (await one.call('GET', '/conflicts')).body as { items: { conflict_id: string }[] };
    expect(items).toHaveLength(1);
    return { ...one, id: items[0]?.conflict_id as string };
  }
  const alerts = async ({ call }: Pick<Service, 'call'>) =>
    ((await call('GET', '/alerts')).body as { items: Row[] }).items.filter(({ until }) => until === null);

  test('ends with the item that is meant, by its name', async () => {
    const { call, id, item } = await torn();
    const asked = await alerts({ call });

    const { status, body } = await call('POST', `/conflicts/${id}/resolve`, { decision: 'same', ci_id: 'db-1' });

    const { ci_id, tags } = await item('db-1');
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { conflict_id: id, decision: 'same', ci_id, ci_name: 'db-1', claim: { source: 'import:lab.yml' } },
    });
    expect(tags).toEqual(['torn']);
    expect((await call('GET', '/conflicts')).body).toMatchObject({ count: 0 });
    expect(asked).toMatchObject([{ kind: 'conflict', subject: 'import:lab.yml both' }]);
    expect(await alerts({ call })).toEqual([]);
  });

  test('ends with an item of its own for the claim', async () => {
    const { call, id, item } = await torn();

    const { status, body } = await call('POST', `/conflicts/${id}/resolve`, { decision: 'apart' });

    expect({ status, body }).toMatchObject({ status: 200, body: { decision: 'apart', ci_name: 'both' } });
    expect(await item('both')).toMatchObject({ ci_id: (body as Row).ci_id, tags: ['torn'] });
    expect(await alerts({ call })).toEqual([]);
  });

  test('is answered once, and in one of two ways', async () => {
    const { call, id } = await torn();
    const resolve = async (body: object, which = id) => {
      const answer = (await call('POST', `/conflicts/${which}/resolve`, body)).body as Row;
      return [answer.status, answer.detail];
    };

    expect(await resolve({ decision: 'same' })).toEqual([400, '/ci_id says which item is meant.']);
    expect(await resolve({ decision: 'perhaps' })).toMatchObject([400, expect.any(String)]);
    expect(await resolve({ decision: 'apart', ci_id: 'db-1' })).toMatchObject([400, expect.stringContaining('/ci_id')]);
    expect(await resolve({ decision: 'same', ci_id: 'ghost' })).toEqual([404, 'No configuration item is named ghost.']);
    expect(await resolve({ decision: 'apart' }, 'ghost')).toEqual([404, 'There is no conflict ghost.']);
    await resolve({ decision: 'apart' });
    expect(await resolve({ decision: 'apart' })).toEqual([409, 'This question is answered already.']);
  });
});
