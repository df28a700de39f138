/** The document of the API: whether it is OpenAPI, and whether the API is as it says. */

import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { scopes } from '../../src/http/endpoint.ts';
import { callsOf, send as sendRun } from '../runs/calls.ts';
import { type Answered, type Service, startService } from '../service.ts';
import { send } from './send.ts';

interface Operation {
  operationId: string;
  description: string;
  security: unknown[];
  requestBody?: unknown;
  parameters?: { name: string; in: string; required?: boolean }[];
  responses: Record<string, { content?: Record<string, { schema?: object }> }>;
}

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

interface Listed {
  method: string;
  path: string;
  operation: Operation;
}

async function documentOf({ call }: Service): Promise<Document> {
  return (await call('GET', '/openapi.json')).body as Document;
}

function operationsOf(document: Document): Listed[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

/** Checks answers against the schema that the document has for them; answers what is wrong. */
function checkerOf(document: Document) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema({ $id: 'document', ...document });
  return ({ method, path, operation }: Listed, { status, body, headers }: Answered): string[] => {
    const where = `${method} ${path} ${status}`;
    const described = operation.responses[status] ?? (status >= 400 ? operation.responses.default : undefined);
    if (!described) return [`${where}: this status is not described`];
    const type = (headers.get('content-type') ?? '').split(';')[0] as string;
    const content = described.content?.[type];
    if (!content) return [`${where}: ${type} is not described`];
    if (!content.schema) return [];
    const pointer = [
      'paths',
      path,
      method.toLowerCase(),
      'responses',
      described === operation.responses.default ? 'default' : String(status),
      'content',
      type,
      'schema',
    ];
    const ref = `document#/${pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
    const accepts = ajv.compile({ $ref: ref });
    return accepts(body) ? [] : [`${where}: ${ajv.errorsText(accepts.errors)}`];
  };
}

test('the document is valid OpenAPI 3.1, and names every operation once', async () => {
  const service = await startService();
  const document = await documentOf(service);

  const { valid, errors } = await new Validator().validate(
    structuredClone(document) as unknown as Record<string, unknown>,
  );

  expect(errors ?? []).toEqual([]);
  expect(valid).toBe(true);
  expect(document.openapi).toBe('3.1.0');
  const ids = operationsOf(document).map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('every call refuses a token that has all scopes but its own, and takes one that has it', async () => {
  const service = await startService();
  const operations = operationsOf(await documentOf(service)).filter(({ operation }) => operation.security.length > 0);
  const tokenWith = async (name: string, given: readonly string[]) =>
    ((await service.call('POST', '/tokens', { token_name: name, scopes: given })).body as { token: string }).token;
  const others = new Map<string, string>();
  const own = new Map<string, string>();
  for (const scope of scopes) {
    others.set(
      scope,
      await tokenWith(
        'others',
        scopes.filter((one) => one !== scope && one !== 'admin'),
      ),
    );
    own.set(scope, await tokenWith('own', [scope]));
  }
  const ask = ({ method, path, operation: { security } }: Listed, token: string | undefined) => {
    const isInAddress = JSON.stringify(security).includes('token_in_address');
    const named = path.replaceAll(/[{}]/g, '') + (isInAddress ? `?token=${token}` : '');
    return send(service.url, { method, path: named, headers: { Authorization: `Bearer ${token}` } });
  };

  expect(operations.length).toBeGreaterThan(20);
  for (const one of operations) {
    const scope = /Needs the scope `([\w:]+)`\./.exec(one.operation.description)?.[1] as string;
    const refused = await ask(one, others.get(scope));
    const passed = await ask(one, own.get(scope));

    const name = `${one.method} ${one.path}`;
    expect({ name, status: refused.status, ...JSON.parse(refused.text) }).toMatchObject({
      name,
      status: 403,
      type: '/problems/forbidden',
      detail: `The token others may not do this: it lacks the scope ${scope}.`,
    });
    expect({ name, isLetIn: passed.status !== 401 && passed.status !== 403 }).toEqual({ name, isLetIn: true });
  }
});

test('without a token answer only the calls that say so', async () => {
  const service = await startService();
  const operations = operationsOf(await documentOf(service));

  const open: string[] = [];
  for (const { method, path } of operations) {
    const { status } = await send(service.url, { method, path: path.replaceAll(/[{}]/g, '') });
    // Each wrong one counts for its address, and this is about which are wrong.
    service.pass({ minutes: 1 });
    if (status !== 401) open.push(`${method} ${path}`);
  }

  const said = operations.filter(({ operation }) => operation.security.length === 0);
  expect(open).toEqual(said.map(({ method, path }) => `${method} ${path}`));
  expect(open.toSorted()).toEqual(['GET /ansible/inventory.py', 'GET /healthz', 'GET /openapi.json', 'GET /readyz']);
});

/** With one whose token nobody has. */
const withCluster = {
  settings: {
    proxmox: { clusters: [{ name: 'home', addresses: ['https://127.0.0.1:9'], token: 'env:NOBODY_HAS_IT' }] },
  },
};

test('every write may be sent with a change reference', async () => {
  const writes = operationsOf(await documentOf(await startService())).filter(({ method }) => method !== 'GET');

  for (const { method, path, operation } of writes) {
    expect({ call: `${method} ${path}`, parameters: operation.parameters }).toEqual({
      call: `${method} ${path}`,
      parameters: expect.arrayContaining([expect.objectContaining({ name: 'X-Change-Ref', in: 'header' })]) as unknown,
    });
  }
});

test('every call that reads answers as the document says, and so does every problem', async () => {
  const service = await startService(withCluster);
  const { call } = service;
  await fill(service);
  const document = await documentOf(service);
  const faultsOf = checkerOf(document);
  const version = ((await call('GET', '/inventory')).body as { all: { vars: { rollcall_inventory_version: string } } })
    .all.vars.rollcall_inventory_version;
  const [pass] = ((await call('GET', '/passes')).body as { items: { pass_id: string }[] }).items;
  await sendRun(service, callsOf({ plays: [playWith('ok')], startedAt: '2026-03-01T10:00:00Z' }));
  const failing = { plays: [playWith('failed')], outcome: 'failed', more: { inventory_version: version } };
  const runId = await sendRun(service, callsOf(failing));
  const { id } = (await call('POST', '/jobs/sweep/run', { wait: true })).body as { id: string };
  const phone = { token_name: 'phone', scopes: ['credentials:calendar'] };
  const { token } = (await call('POST', '/tokens', phone)).body as { token: string };
  const names: Record<string, string> = {
    credential_id: 'pve',
    id,
    run_id: runId,
    ci_id: 'web-1',
    ci_name: 'web-1',
    pass_id: pass?.pass_id ?? '',
    site_id: 'site-ranch',
    cluster: 'home',
    subnet: '10.0.0.0%2F24',
    name: 'web-1',
  };
  const reads = operationsOf(document).filter(({ method }) => method === 'GET');

  const asked: string[] = [];
  const faults: string[] = [];
  for (const one of reads) {
    const named = one.path.startsWith('/api/v1/groups/') ? { ...names, name: 'webservers' } : names;
    const bare = one.path.replace('/api/v1', '').replaceAll(/\{(\w+)\}/g, (_, name: string) => named[name] ?? '');
    const query = one.operation.parameters?.some(({ name, required }) => name === 'from' && required)
      ? `?from=${version}`
      : one.path === '/credentials.ics'
        ? `?token=${token}`
        : '';
    const good = await call('GET', bare + query);
    const ghost = await call('GET', one.path.replace('/api/v1', '').replaceAll(/\{\w+\}/g, 'ghost') + query);
    const wrong = await call('GET', `${bare}?nonsense=1`);
    asked.push(`${one.path} ${good.status}`);
    faults.push(...[good, ghost, wrong].flatMap((answer) => faultsOf(one, answer)));
  }

  expect(faults).toEqual([]);
  expect(asked.filter((line) => !line.endsWith(' 200'))).toEqual([]);
});

test('an answer that is not as the document says would be seen', async () => {
  const service = await startService(withCluster);
  const document = await documentOf(service);
  const list = operationsOf(document).find(({ path }) => path === '/api/v1/ci') as Listed;
  const answer = await service.call('GET', '/ci');

  const { items, ...others } = answer.body as { items: Record<string, unknown>[] };
  const altered = { ...answer, body: { ...others, items: items.map((item) => ({ ...item, ci_name: 7 })) } };

  expect(items).toHaveLength(1);
  expect(checkerOf(document)(list, altered)).toEqual(['GET /api/v1/ci 200: data/items/0/ci_name must be string']);
  expect(checkerOf(document)(list, { ...answer, status: 204 })).toEqual([
    'GET /api/v1/ci 204: this status is not described',
  ]);
});

test('every call that writes answers as the document says', async () => {
  const service = await startService(withCluster);
  const document = await documentOf(service);
  const faultsOf = checkerOf(document);
  const find = (method: string, path: string) =>
    operationsOf(document).find((one) => one.method === method && one.path === `/api/v1${path}`) as Listed;
  const item = { ci_type: 'virtual_machine', ci_name: 'web-1', ci_status: 'running' };
  const paths = ['/runs/{run_id}', '/runs/{run_id}/plays/{play_id}/parts/{part}', '/runs/{run_id}/stats'];
  const runCalls = callsOf({ plays: [playWith('ok')] }).map((sent, index): [string, string, string, unknown] => [
    sent.method,
    paths[index] as string,
    sent.path,
    sent.body,
  ]);
  const relationship = '/ci/{ci_id}/relationships/{relationship_type}/{target_ci_id}';
  const one = '/credentials/{credential_id}';
  const calls: [method: string, path: string, real: string, body?: unknown][] = [
    ['POST', '/ci', '/ci', item],
    ['POST', '/ci', '/ci', { ...item, nonsense: 1 }],
    ['POST', '/ci', '/ci', { ...item, ci_name: 'web-2' }],
    ['POST', '/ci/bulk', '/ci/bulk', { items: [item, {}] }],
    ['POST', '/ci/match', '/ci/match', { things: [{ ci_name: 'web-1' }, { ci_name: 'ghost' }] }],
    ['POST', '/ci/match', '/ci/match', { things: [{ nonsense: 1 }] }],
    ['PUT', '/ci/{ci_id}', '/ci/web-1', { notes: 'new' }],
    ['PATCH', '/ci/{ci_id}', '/ci/web-1', { notes: null }],
    ['PUT', '/ci/by-name/{ci_name}', '/ci/by-name/web-1', { ci_status: 'stopped' }],
    ['PUT', '/ci/{ci_id}/hold', '/ci/web-1/hold', { reason: 'new disk', until: '2h' }],
    ['PUT', '/ci/{ci_id}/hold', '/ci/web-1/hold', {}],
    ['DELETE', '/ci/{ci_id}/hold', '/ci/web-1/hold'],
    ['PUT', '/ci/{ci_id}/pins/{attribute}', '/ci/web-1/pins/owner', { value: 'alice', reason: 'hers' }],
    ['PUT', '/ci/{ci_id}/pins/{attribute}', '/ci/web-1/pins/tags', { value: [], reason: 'none' }],
    ['DELETE', '/ci/{ci_id}/pins/{attribute}', '/ci/web-1/pins/owner'],
    ['POST', '/ci', '/ci', { ...item, ci_name: 'db-1' }],
    ['PUT', relationship, '/ci/web-1/relationships/depends_on/db-1', { relationship_strength: 'critical' }],
    ['PUT', relationship, '/ci/web-1/relationships/depends_on/ghost', {}],
    ['DELETE', relationship, '/ci/web-1/relationships/depends_on/db-1'],
    ['DELETE', relationship, '/ci/web-1/relationships/depends_on/db-1'],
    ['POST', '/ci/{ci_id}/merge', '/ci/web-1/merge', { other: 'web-2', reason: 'one machine' }],
    ['POST', '/ci/{ci_id}/merge', '/ci/web-1/merge', { other: 'web-1' }],
    ['POST', '/ci/{ci_id}/split', '/ci/web-1/split', { claims: ['ghost'] }],
    ['POST', '/ci/{ci_id}/adopt', '/ci/web-1/adopt', { from: 'web-1' }],
    ['POST', '/conflicts/{conflict_id}/resolve', '/conflicts/ghost/resolve', { decision: 'apart' }],
    ['POST', '/changes/{id}/revert', '/changes/2/revert', { reason: 'a slip' }],
    ['POST', '/changes/{id}/revert', '/changes/4/revert', {}],
    ['POST', '/changes/{id}/revert', '/changes/ghost/revert'],
    ['DELETE', '/ci/{ci_id}', '/ci/web-1'],
    [
      'POST',
      '/passes',
      '/passes',
      {
        source: 'import:hosts.yml',
        complete: true,
        items: [item, {}],
        groups: [{ group_name: 'web', vars: { a: 1 } }],
      },
    ],
    ['POST', '/passes', '/passes', { source: 'import:hosts.yml', complete: true, dry_run: true, items: [] }],
    ['POST', '/passes/{pass_id}/accept', '/passes/ghost/accept'],
    ['DELETE', '/sources/{name}', '/sources/import:hosts.yml'],
    ['DELETE', '/sources/{name}', '/sources/ghost'],
    ['PUT', '/sites/{site_id}', '/sites/site-ranch', { name: 'The ranch' }],
    ['PATCH', '/sites/{site_id}', '/sites/site-ranch', { new_hosts: 'hold' }],
    ['PUT', '/groups/{name}', '/groups/webservers', { match: { ci_name: 'web*' } }],
    ['POST', '/proxmox/clusters/{cluster}/rehearse', '/proxmox/clusters/home/rehearse'],
    ['POST', '/proxmox/clusters/{cluster}/rehearse', '/proxmox/clusters/ghost/rehearse'],
    ['POST', '/credentials', '/credentials', { credential_name: 'pve', credential_type: 'api_token' }],
    ['POST', '/credentials', '/credentials', { credential_name: 'pve', credential_type: 'password' }],
    ['PATCH', one, '/credentials/pve', { notes: 'behind the router', expires_at: '2026-03-10' }],
    ['POST', `${one}/snooze`, '/credentials/pve/snooze', { until: '5d', reason: 'moving' }],
    ['DELETE', `${one}/snooze`, '/credentials/pve/snooze'],
    ['POST', `${one}/waive`, '/credentials/pve/waive', { until: '5d' }],
    ['DELETE', `${one}/waive`, '/credentials/pve/waive'],
    ['POST', '/credentials/rehearse', '/credentials/rehearse'],
    ['POST', `${one}/rotated`, '/credentials/pve/rotated', { expires_at: null }],
    ['PUT', `${one}/associations/{ci_id}`, '/credentials/pve/associations/db-1', { role: 'deploy' }],
    ['DELETE', `${one}/associations/{ci_id}`, '/credentials/pve/associations/db-1'],
    ['DELETE', `${one}/associations/{ci_id}`, '/credentials/pve/associations/db-1'],
    ...runCalls,
    ['POST', '/jobs/{name}/run', '/jobs/sweep/run'],
    ['POST', '/jobs/{name}/run', '/jobs/sweep/run', { wait: true }],
    ['POST', '/jobs/{name}/run', '/jobs/ghost/run'],
    ['POST', '/tokens', '/tokens', { token_name: 'hook', scopes: ['ci:read'] }],
    ['DELETE', '/tokens/{id_or_name}', '/tokens/hook'],
  ];

  const faults: string[] = [];
  for (const [method, path, real, body] of calls) {
    faults.push(...faultsOf(find(method, path), await service.call(method, real, body)));
  }

  expect(faults).toEqual([]);
  const written = new Set(calls.map(([method, path]) => `${method} /api/v1${path}`));
  const all = operationsOf(document).filter(({ method }) => method !== 'GET');
  expect(all.map(({ method, path }) => `${method} ${path}`).filter((one) => !written.has(one))).toEqual([]);
});

const playWith = (status: string) => ({ name: 'All', tasks: { Do: [{ host: 'web-1', status, msg: 'said' }] } });

/** Something for every list. */
async function fill({ call }: Service): Promise<void> {
  const credential = { credential_name: 'pve', credential_type: 'api_token', next_rotation_due: '2026-03-04' };
  const machine = { ci_type: 'virtual_machine', ci_name: 'web-1', ci_status: 'running', site_id: 'site-ranch' };
  await call('POST', '/ci', {
    ...machine,
    tags: ['prod'],
    technical_specs: { vmid: 102, node: 'pve1', memory_mb: 2048 },
  });
  await call(
    'PUT',
    '/ci/web-1',
    { notes: 'edited', ansible: { host: '10.0.0.5' } },
    { 'X-Change-Ref': 'acme/infra#1' },
  );
  await call('PUT', '/ci/web-1/pins/owner', { value: 'alice', reason: 'hers', until: '3d' });
  await call('POST', '/ci', { ci_name: 'db-1', relationships: [{ relationship_type: 'serves', ci_name: 'web-1' }] });
  await call('POST', '/credentials', { ...credential, associations: [{ ci_name: 'web-1' }, { ci_name: 'db-1' }] });
  await call('POST', '/ci', { nonsense: true });
  await call('PUT', '/groups/webservers', { match: { ci_name: 'web*' }, vars: { port: 80 }, children: ['proxies'] });
  await call('PATCH', '/sites/site-ranch', { name: 'The ranch', vars: { ntp: 'a' } });
  await call('POST', '/passes', { source: 'import:hosts.yml', complete: true, items: [machine] });
  const measured = { ...machine, technical_specs: { vmid: 102, node: 'pve1', memory_mb: 4096 } };
  await call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items: [measured] });
  expect((await call('GET', '/drift')).body).toMatchObject({ count: 1 });
}
