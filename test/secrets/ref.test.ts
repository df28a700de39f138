import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from 'typebox';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { StartError } from '../../src/errors.ts';
import { refuseUnknownSchemes, SecretRef } from '../../src/secrets/ref.ts';
import { temporaryFolder } from '../service.ts';

const strict = { additionalProperties: false };
const schema = Type.Object(
  {
    github: Type.Optional(Type.Object({ token: SecretRef }, strict)),
    clusters: Type.Array(Type.Object({ token: SecretRef, name: Type.String() }, strict), { default: [] }),
    named: Type.Record(Type.String(), Type.Object({ token: Type.Optional(SecretRef) }, strict), { default: {} }),
  },
  strict,
);

function settingsOf(yaml: string) {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'rollcall.yml'), yaml);
  return readConfig(schema, { env: {}, cwd });
}

test.each(['env:TOKEN', 'file:/run/secrets/token', 'file:my token', 'vaultwarden:PVE: the token'])(
  '%s names a secret',
  (ref) => {
    expect(settingsOf(`github: { token: "${ref}" }`).github?.token).toBe(ref);
  },
);

describe('a secret itself is refused with its place and what to write instead, and is not shown:', () => {
  test.each([
    ['plain', 'hunter2'],
    ['with a colon', 'hunter2:hunter2'],
    ['like a token of Proxmox', 'root@pam!rollcall=hunter2'],
    ['behind nothing', 'env: hunter2'],
    ['a number', 4242424242],
    ['a list', ['hunter2']],
  ])('%s', (_, value) => {
    const refusal = () => settingsOf(`github:\n  token: ${JSON.stringify(value)}`);

    expect(refusal).toThrow(/rollcall\.yml:2:3: github\.token must (?:look like env:NAME or file:PATH|be text)/);
    expect(refusal).not.toThrow(/hunter2|4242/);
  });
});

describe('a reference that nobody here can follow', () => {
  const settings = { clusters: [], named: {} };

  test('is refused at the start with its place and what is known', () => {
    const wrong = {
      ...settings,
      clusters: [
        { name: 'env:no', token: 'env:A' },
        { name: 'b', token: 'vaultwarden:B' },
      ],
      named: { 'a/b': { token: 'vaultwarden:C' } },
    };

    const refusal = () => refuseUnknownSchemes(schema, wrong, ['env', 'file']);

    expect(refusal).toThrow(StartError);
    expect(refusal).toThrow(
      `The configuration is not right:
  clusters[1].token: nothing here reads vaultwarden:, only env: and file:
  named["a/b"].token: nothing here reads vaultwarden:, only env: and file:`,
    );
  });

  test('is taken where a module brings it', () => {
    const right = { ...settings, github: { token: 'vaultwarden:B' } };

    expect(() => refuseUnknownSchemes(schema, right, ['env', 'file', 'vaultwarden'])).not.toThrow();
  });
});
