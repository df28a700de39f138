import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startProcess } from '../e2e/service-process.ts';
import { temporaryFolder } from '../service.ts';

test('it prints where it serves, logs what happens and nothing else, and ends at once though connections are open', async () => {
  const service = startProcess(join(temporaryFolder(), 'data'));
  const url = await service.serves;
  const agent = new Agent({ keepAlive: true });
  const silent = connect(Number(new URL(url).port), '127.0.0.1');
  silent.on('error', () => undefined);
  onTestFinished(() => {
    agent.destroy();
    silent.destroy();
  });
  for (const path of ['/docs', '/docs/swagger-ui-bundle.js', '/openapi.json']) {
    await new Promise<void>((resolve, reject) => {
      get(url + path, { agent }, (response) => response.resume().on('end', resolve)).on('error', reject);
    });
  }

  service.child.kill('SIGTERM');
  const { code, signal, stderr } = await service.ended;

  expect({ code, signal }).toEqual({ code: 0, signal: null });
  expect(stderr.replaceAll(/^\S+Z /gm, '')).toBe(
    'stopping: no new requests, those under way are finished signal=SIGTERM\nstopped\n',
  );
});
