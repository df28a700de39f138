/** The settings under `vaultwarden`. Without that section no vault is read. */

import { type Static, Type } from 'typebox';
import { SecretRef } from '../secrets/ref.ts';

const fileName = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));

export const vaultwardenSettings = Type.Object(
  {
    bw: Type.String({
      default: 'bw',
      pattern: '^[^-\\s].*$',
      examples: ['bw', '/opt/bitwarden/bw'],
      description: "Bitwarden's CLI: its name on the PATH, or its path",
    }),
    session: Type.Optional(SecretRef),
    data_dir: fileName(
      'the folder where the CLI was logged in, its BITWARDENCLI_APPDATA_DIR: one that nobody else uses',
    ),
    ca: fileName('a file with the CA of the server, in PEM, where it is one of your own'),
    // Whoever reaches it has the vault, and it asks nobody who they are.
    serve: Type.Optional(
      Type.String({
        pattern: '^(?:unix:///\\S+|http://(?:localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[::1\\])(?::\\d{1,5})?)$',
        examples: ['unix:///run/rollcall-bw/bw.sock', 'http://127.0.0.1:8087'],
        description: 'where a "bw serve" of this machine is asked instead, by which reading takes no seconds',
      }),
    ),
    watch: Type.Object(
      {
        folder: Type.Optional(
          Type.String({
            minLength: 1,
            description: 'only what lies in this folder of the vault, or below it, is expected to have a credential',
          }),
        ),
      },
      { additionalProperties: false, description: 'which items of the vault are expected to have a credential' },
    ),
  },
  { additionalProperties: false },
);
export type VaultwardenSettings = Static<typeof vaultwardenSettings>;
