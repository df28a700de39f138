/** A vault of VaultWarden as a module: whose secrets the settings may name, and what is known of its items. */

import { resolve } from 'node:path';
import type { Environment } from '../environment.ts';
import { StartError } from '../errors.ts';
import type { House, Opened } from '../module.ts';
import { schemeOf } from '../secrets/ref.ts';
import { type Scheme, SecretError } from '../secrets/secrets.ts';
import { howToUnlock } from './answer.ts';
import { type TimeLimits, usualTimeLimits } from './bw.ts';
import { openCommand } from './command.ts';
import { type OpenVault, openVault } from './open.ts';
import { openServe } from './serve.ts';
import { type VaultwardenSettings, vaultwardenSettings } from './settings.ts';
import { VaultError, type VaultItem } from './vault.ts';

export interface VaultwardenOpened extends Opened {
  /** Undefined where the settings name none. */
  vault: OpenVault | undefined;
  /** Whether an item should have a credential: a login that is in use, or what lies in the folder that is named. */
  isWatched: (item: VaultItem) => boolean;
}

/** `env` is the process's own, of which the CLI gets what it needs and no more. */
export const vaultwardenModule = (env: Environment) => ({
  name: 'vaultwarden',
  settings: vaultwardenSettings,
  open(house: VaultHouse, settings: VaultwardenSettings | undefined): VaultwardenOpened {
    if (!settings) return { vault: undefined, isWatched: () => false };
    const vault = vaultOf(house, settings, env);
    return {
      vault,
      isWatched: (item) => isWatched(item, settings.watch.folder),
      checks: [() => vault.check()],
      secretSchemes: { vaultwarden: schemeFor(vault) },
      close: vault.close,
    };
  },
});

export type VaultHouse = Pick<House, 'clock' | 'log' | 'secret'>;

/** Opens nothing: all is done at use. Throws StartError where the settings cannot be followed. */
export function vaultOf(
  { clock, log, secret }: VaultHouse,
  { bw, session, data_dir, ca, serve }: VaultwardenSettings,
  env: Environment,
  limits: TimeLimits = usualTimeLimits,
): OpenVault {
  if (session !== undefined && schemeOf(session) === 'vaultwarden')
    throw new StartError(
      'vaultwarden.session: the key of the vault cannot lie in the vault; name a file or a variable.',
    );
  if (serve !== undefined) return openVault({ bw: openServe(serve, limits), clock, log });
  const given = {
    PATH: env.PATH,
    HOME: env.HOME,
    BITWARDENCLI_APPDATA_DIR: data_dir === undefined ? undefined : resolve(data_dir),
    NODE_EXTRA_CA_CERTS: ca === undefined ? undefined : resolve(ca),
  };
  const readKey = async () => {
    if (session === undefined) return undefined;
    try {
      return (await secret(session)).reveal().trim();
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      throw new VaultError('locked', `The vault is locked, for there is no key to it. ${error.message} ${howToUnlock}`);
    }
  };
  return openVault({ bw: openCommand({ bw, env: given, session: readKey, limits }), clock, log });
}

/** In the words of any other secret that is not there. */
function schemeFor(vault: OpenVault): Scheme {
  return async (name, signal) => {
    try {
      return await vault.read(name, signal);
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      throw new SecretError(`The secret vaultwarden:${name} is unavailable: ${error.message}`, { cause: error });
    }
  };
}

function isWatched(item: VaultItem, folder: string | undefined): boolean {
  if (item.deleted_at !== null || item.archived_at !== null) return false;
  if (folder === undefined) return item.type === 1;
  return item.folder === folder || (item.folder?.startsWith(`${folder}/`) ?? false);
}
