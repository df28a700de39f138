import { describe, expect, test } from 'vitest';
import { type Service, startService } from '../service.ts';

interface Page {
  count: number;
  items: Record<string, unknown>[];
  next: string | null;
}

async function pagesOf(service: Service, path: string, between?: () => Promise<unknown>): Promise<Page[]> {
  const pages: Page[] = [];
  let next: string | null = '';
  while (next !== null) {
    const cursor: string = next === '' ? '' : `&cursor=${next}`;
    const { status, body } = await service.call('GET', `${path}${cursor}`);
    expect(status).toBe(200);
    pages.push(body as Page);
    next = (body as Page).next;
    await between?.();
  }
  return pages;
}

function namesOf(pages: readonly Page[], key = 'ci_name'): unknown[] {
  return pages.flatMap(({ items }) => items.map((item) => item[key]));
}

const nas = (number: number) => ({ ci_type: 'storage', ci_name: `nas-${number}` });
const numbers = (most: number) => Array.from({ length: most }, (_, at) => at);

test('a list comes in pages that together are the list, live before retired, then oldest first', async () => {
  const service = await startService();
  await service.call('POST', '/ci/bulk', { items: numbers(7).map(nas) });
  await service.call('PUT', '/ci/nas-2', { ci_status: 'retired' });

  const pages = await pagesOf(service, '/ci?ci_type=storage&limit=3');

  expect(pages.map(({ items }) => items.length)).toEqual([3, 3, 1]);
  expect(pages.map(({ count }) => count)).toEqual([7, 7, 7]);
  expect(new Set(namesOf(pages)).size).toBe(7);
  expect(namesOf(pages).at(-1)).toBe('nas-2');
});

test('pages hold everything that was there when the first was read, though the list changes between them', async () => {
  const service = await startService();
  await service.call('POST', '/ci/bulk', { items: numbers(6).map(nas) });
  let more = 100;

  const pages = await pagesOf(service, '/ci?ci_type=storage&limit=2', async () => {
    if (more < 103) await service.call('POST', '/ci', nas(more++));
    if (more === 102) await service.call('PUT', '/ci/nas-0', { notes: 'edited' });
  });

  const names = namesOf(pages);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining(numbers(6).map((number) => `nas-${number}`)));
});

test('a hundred rows come unless told, and never more than a thousand', async () => {
  const service = await startService();
  await service.call('POST', '/ci/bulk', { items: numbers(1010).map(nas) });
  const lengthOf = async (query: string) =>
    ((await service.call('GET', `/ci?ci_type=storage${query}`)).body as Page).items.length;

  expect(await lengthOf('')).toBe(100);
  expect(await lengthOf('&limit=1000')).toBe(1000);
  expect(await lengthOf('&limit=99999')).toBe(1000);
});

test('every list comes in pages', async () => {
  const service = await startService();
  const { call } = service;
  for (const number of numbers(3)) {
    await call('POST', '/ci', { ...nas(number), site_id: `site-${number}` });
    await call('POST', '/ci', {});
    await call('POST', '/tokens', { token_name: 'hook', scopes: ['ci:read'] });
    await call('PUT', `/groups/group${number}`, { vars: { a: number } });
    await call('POST', '/passes', { source: 'import:hosts.yml', complete: true, items: [nas(100)] });
  }
  const lists = ['/ci', '/changes', '/ci/nas-0/changes', '/refusals', '/tokens', '/sites', '/groups', '/passes'];

  for (const list of lists) {
    const pages = await pagesOf(service, `${list}?limit=1`);
    const whole = (await call('GET', `${list}?limit=1000`)).body as Page;

    expect({ list, count: whole.count, next: whole.next }).toEqual({ list, count: whole.items.length, next: null });
    expect({ list, items: pages.flatMap(({ items }) => items) }).toEqual({ list, items: whole.items });
  }
});

describe('a cursor that this list did not give is refused:', () => {
  const packed = (keys: unknown) => Buffer.from(JSON.stringify(keys)).toString('base64url');
  test.each([
    ['text', 'first', '/ci'],
    ['another list’s', packed([12]), '/ci'],
    ['one of the wrong kind', packed(['x']), '/changes'],
    ['an empty one', packed([]), '/refusals'],
    ['one with too many keys', packed(['x', 'y']), '/passes'],
    ['an object', packed({ length: 1, 0: 'x' }), '/tokens'],
  ])('%s', async (_, cursor, list) => {
    const { call } = await startService();

    const { status, body } = await call('GET', `${list}?cursor=${encodeURIComponent(cursor)}`);

    expect(status).toBe(400);
    expect(body).toMatchObject({
      detail: 'The cursor is not one that Rollcall gave.',
      errors: [{ pointer: '/cursor', detail: 'send `next` of an answer as it is' }],
    });
  });
});
