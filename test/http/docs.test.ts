/** The page of the API in a real browser. */

import { chromium } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { startService, temporaryFolder } from '../service.ts';
import { readTools } from '../tools/tools.ts';
import { send } from './send.ts';

async function openBrowser(width: number) {
  const context = await chromium.launchPersistentContext(temporaryFolder(), {
    executablePath: readTools().chromium,
    viewport: { width, height: 900 },
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  context.on('request', (request) => asked.push(request.url()));
  return { page, complaints, asked };
}

test.each([
  ['wide', 1400],
  ['narrow', 400],
])('the page shows every call, on a %s screen, and asks nobody else for anything', async (_, width) => {
  const { url, call } = await startService();
  const { page, complaints, asked } = await openBrowser(width);
  const { paths } = (await call('GET', '/openapi.json')).body as { paths: Record<string, object> };
  const operations = Object.values(paths).flatMap((methods) => Object.keys(methods)).length;

  await page.goto(`${url}/docs`);
  await page
    .locator('.opblock')
    .nth(operations - 1)
    .waitFor();
  await page.locator('.opblock-summary-path', { hasText: '/api/v1/ci/bulk' }).click();
  await page.getByText('Each item is whole or absent').waitFor();

  expect(await page.locator('.opblock').count()).toBe(operations);
  expect(await page.title()).toBe('Rollcall API');
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
  expect(complaints).toEqual([]);
  expect(asked.filter((one) => !one.startsWith(`${url}/`) && !one.startsWith('data:'))).toEqual([]);
});

test('a call can be tried on the page with a token', async () => {
  const { url, adminToken } = await startService();
  const { page, complaints } = await openBrowser(1400);
  await page.goto(`${url}/docs`);

  await page.getByRole('button', { name: 'Authorize' }).first().click();
  await page.locator('#auth-bearer-value').fill(adminToken);
  await page.locator('.auth-btn-wrapper .authorize').first().click();
  await page.locator('.auth-btn-wrapper .btn-done').first().click();
  await page.locator('#operations-sites-getSites .opblock-summary-control').click();
  await page.locator('#operations-sites-getSites').getByRole('button', { name: 'Try it out' }).click();
  await page.locator('#operations-sites-getSites').getByRole('button', { name: 'Execute' }).click();

  await page.locator('#operations-sites-getSites .live-responses-table').getByText('site-home').first().waitFor();
  expect(complaints).toEqual([]);
});

test('of the package only what the page needs is served', async () => {
  const { url } = await startService();
  const statusOf = async (path: string) => (await send(url, { path, headers: { Range: 'bytes=9999999-' } })).status;

  expect(await statusOf('/docs')).toBe(200);
  expect(await statusOf('/docs/')).toBe(200);
  expect(await statusOf('/docs/swagger-ui.css')).toBe(200);
  for (const name of ['index.html', 'package.json', 'swagger-initializer.js', '..%2fpackage.json', '../package.json']) {
    expect({ name, status: await statusOf(`/docs/${name}`) }).toEqual({ name, status: 404 });
  }
});
