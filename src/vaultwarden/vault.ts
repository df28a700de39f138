/** What is known of the items of a vault besides what they hold: ids, names and dates. Types only. */

import type { Finding } from '../module.ts';

/** Nothing secret is in it: no value, no note, no hash. */
export interface VaultItem {
  id: string;
  name: string;
  /** As Bitwarden numbers them: 1 login, 2 secure note, 3 card, 4 identity, 5 SSH key. */
  type: number;
  folder: string | null;
  /** When its password was last replaced; null until it was. */
  password_revised_at: string | null;
  /** When former secrets were replaced, hidden fields among them; newest first. */
  history_dates: readonly string[];
  revised_at: string | null;
  created_at: string | null;
  /** In the trash since. */
  deleted_at: string | null;
  archived_at: string | null;
  field_names: readonly string[];
}

export interface Vault {
  /** After a sync with the server: all items, those in the trash too. Throws VaultError. */
  listItems(signal?: AbortSignal): Promise<readonly VaultItem[]>;
  /**
   * The password of an item that is named by its id or its exact name; `read` of a secure note, an SSH key and the like
   * is what they hold. Throws VaultError: never an empty one, and none from the trash.
   */
  read(idOrName: string, signal?: AbortSignal): Promise<string>;
  check(): Promise<Finding[]>;
}

/** Why a vault does not tell. */
export const vaultTroubles = [
  'not_logged_in',
  'locked',
  'not_found',
  'ambiguous',
  'trashed',
  'empty',
  'timeout',
  'unavailable',
  'malformed',
] as const;
export type VaultTrouble = (typeof vaultTroubles)[number];

/** The message is for a person: what it was, what to do, and nothing of what a vault holds. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly trouble: VaultTrouble;

  constructor(trouble: VaultTrouble, message: string) {
    super(message);
    this.trouble = trouble;
  }
}
