import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startService, temporaryFolder } from '../service.ts';
import { besides, run } from './run.ts';

const scopesOf = (call: (method: string, path: string) => Promise<{ body: unknown }>, name: string) =>
  call('GET', '/tokens').then(({ body }) =>
    (body as { items: { token_name: string; scopes: string[]; expires_at: string | null }[] }).items.find(
      (token) => token.token_name === name,
    ),
  );

test('a made token is alone on stdout, and may do what was said', async () => {
  const service = await startService();
  const rollcall = besides(service);

  const { code, stdout, stderr } = await rollcall('token', 'create', 'hooks', '--scopes', 'ci:read, ci:write');

  expect(code).toBe(0);
  expect(stdout).toMatch(/^rollcall_[\w-]{43}\n$/);
  expect(stderr).toBe('Made a token for hooks: ci:read, ci:write. It does not expire, and is not shown again.\n');
  const headers = { Authorization: `Bearer ${stdout.trim()}` };
  expect((await service.call('GET', '/ci', undefined, headers)).status).toBe(200);
  expect((await service.call('GET', '/inventory', undefined, headers)).status).toBe(403);
});

test('without scopes it gets those that Ansible needs, and a span says when it ends', async () => {
  const service = await startService();

  await besides(service)('token', 'create', 'controller-2', '--expires', '90d');

  const made = await scopesOf(service.call, 'controller-2');
  expect(made?.scopes).toEqual(['inventory:read', 'ci:read', 'runs:write']);
  const days =
    Temporal.Instant.from(made?.expires_at ?? '')
      .since(Temporal.Now.instant())
      .total('hours') / 24;
  expect(days).toBeCloseTo(90, 1);
});

test('tokens are listed without what they are, and revoked by name', async () => {
  const service = await startService();
  const rollcall = besides(service);
  await rollcall('token', 'create', 'hooks');

  const revoked = await rollcall('token', 'revoke', 'hooks');
  const list = await rollcall('token', 'list');
  const all = await rollcall('token', 'list', '--all');

  expect(revoked).toMatchObject({ code: 0, stdout: 'Revoked 1 token.\n' });
  expect(list.stdout).toMatch(/^NAME +SCOPES +EXPIRES +LAST USED +ID\n/);
  expect(list.stdout).toMatch(/^admin +everything +- /m);
  expect(list.stdout).not.toContain('hooks');
  expect(all.stdout).toMatch(/^hooks +inventory:read ci:read runs:write +- +- +\S+Z /m);
});

test('several faults of one call are listed', async () => {
  const service = await startService();

  const { code, stderr } = await besides(service)('token', 'create', 'a b', '--scopes', 'ci:raed');

  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^The token is not right at .*, and 1 more\.\n {2}token_name must .*\n {2}scopes\[0\] must be .*\n$/,
  );
});

test('the admin token is reset while no service runs, and only then', async () => {
  const folder = temporaryFolder();
  const service = await startService({ folder });
  const env = { ROLLCALL_DATA: join(folder, 'data') };

  const during = await run(['token', 'reset-admin'], { folder, env });
  await service.app.close();
  const after = await run(['token', 'reset-admin'], { folder, env });
  await service.restart();

  expect(during).toEqual({
    code: 1,
    stdout: '',
    stderr: `A service is using the data in ${folder}/data. Stop it first, then run this again.\n`,
  });
  expect(after).toEqual({
    code: 0,
    stdout: `Wrote a new admin token to ${folder}/data/admin.token; the former ones are revoked.\n`,
    stderr: '',
  });
  expect((await service.call('GET', '/ci')).status).toBe(401);
  expect(await run(['ci', 'list'], { folder, env })).toMatchObject({ code: 0 });
});
