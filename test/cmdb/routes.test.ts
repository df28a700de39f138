import { expect, test } from 'vitest';
import { startService } from '../service.ts';

test('an unknown item is a problem, not an empty answer', async () => {
  const { call } = await startService();

  const { status, body } = await call('GET', '/ci/ghost');

  expect({ status, body }).toEqual({
    status: 404,
    body: {
      type: '/problems/not_found',
      title: 'Not Found',
      status: 404,
      detail: 'No configuration item is named ghost.',
    },
  });
});
