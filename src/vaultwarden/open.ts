/** A vault that can be asked: its items, what one of them holds, and whether it works. One question at a time. */

import { DomainError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { Secret } from '../secrets/secret.ts';
import type { Clock } from '../time.ts';
import { type Bw, folders, itemOf, itemsOf, type Shelf, shelves } from './bw.ts';
import { checkVault } from './checks.ts';
import { foldersIn, hasName, looksLikeId, type RawItem, rawItemIn, rawItemsIn, secretIn, vaultItemOf } from './item.ts';
import { openSync } from './sync.ts';
import { type Vault, VaultError, type VaultItem } from './vault.ts';

/** What an item is called, and what it holds. */
export interface ReadItem {
  id: string;
  name: string;
  secret: Secret;
}

export interface OpenVault extends Vault {
  /** As `read`, with the name of what was read. */
  readItem(idOrName: string, signal?: AbortSignal): Promise<ReadItem>;
  /** Ends what is under way: the program does not end with us. */
  close: () => Promise<void>;
}

export interface VaultParts {
  bw: Bw;
  clock: Clock;
  log: Logger;
}

export function openVault({ bw: asked, clock, log }: VaultParts): OpenVault {
  const closing = new AbortController();
  const bw: Bw = {
    ...asked,
    ask: (question, signal) => asked.ask(question, signal ? AbortSignal.any([closing.signal, signal]) : closing.signal),
  };
  const sync = openSync(bw, clock, log);
  const inTurn = oneAtATime();
  const rawItems = async (shelf: Shelf, signal: AbortSignal | undefined) =>
    rawItemsIn(await bw.ask(itemsOf(shelf), signal), bw.called);

  /** Never by the search of the CLI, which takes parts of names, and user names, for names. */
  async function findByName(name: string, signal: AbortSignal | undefined): Promise<RawItem> {
    const found = (await rawItems('use', signal)).filter((raw) => hasName(raw, name));
    const [first, ...more] = found;
    if (!first) throw await whyNot(name, signal);
    if (more.length > 0)
      throw new VaultError(
        'ambiguous',
        `${found.length} items of the vault are called ${name}: ${found.map(({ id }) => id).join(', ')}. Name the one that is meant by its id.`,
      );
    return first;
  }

  async function whyNot(name: string, signal: AbortSignal | undefined): Promise<VaultError> {
    for (const shelf of ['trash', 'archive'] as const) {
      const raw = (await rawItems(shelf, signal)).find((one) => hasName(one, name));
      if (raw) secretIn(raw, name);
    }
    return new VaultError(
      'not_found',
      `No item of the vault is called ${name}. A name is taken as it is written, and the account of the service must see the item.`,
    );
  }

  async function findById(id: string, signal: AbortSignal | undefined): Promise<RawItem> {
    try {
      return rawItemIn(await bw.ask(itemOf(id), signal), bw.called);
    } catch (error) {
      if (!(error instanceof VaultError) || error.trouble !== 'not_found') throw error;
      throw new VaultError(
        'not_found',
        `No item of the vault has the id ${id}. Was it deleted, or does the account of the service not see it?`,
      );
    }
  }

  async function readItem(idOrName: string, signal?: AbortSignal): Promise<ReadItem> {
    const stale = await sync.ifDue(signal);
    try {
      const raw = await (looksLikeId(idOrName) ? findById : findByName)(idOrName, signal);
      return { id: raw.id as string, name: raw.name as string, secret: new Secret(secretIn(raw, idOrName)) };
    } catch (error) {
      if (stale === undefined || !(error instanceof VaultError)) throw error;
      throw new VaultError(
        error.trouble,
        `${error.message} This is of its local copy, for it was not synced: ${stale}`,
      );
    }
  }

  async function listItems(signal?: AbortSignal): Promise<VaultItem[]> {
    await sync.now(signal);
    const names = foldersIn(await bw.ask(folders, signal));
    const byId = new Map<string, VaultItem>();
    for (const shelf of shelves) {
      // A `bw serve` that knows no archive answers as if it was not asked for.
      for (const raw of await rawItems(shelf, signal)) byId.set(raw.id as string, vaultItemOf(raw, names));
    }
    return [...byId.values()];
  }

  return {
    readItem: (idOrName, signal) => inTurn(() => readItem(idOrName, signal)),
    read: async (idOrName, signal) => (await inTurn(() => readItem(idOrName, signal))).secret.reveal(),
    listItems: (signal) => inTurn(() => listItems(signal)),
    check: () => inTurn(() => checkVault(bw, sync, clock)),
    close() {
      closing.abort(new DomainError('unavailable', 'The vault is not asked any more, for Rollcall stops.'));
      return inTurn(() => Promise.resolve());
    },
  };
}

/** Two processes of the CLI at once would write the same files, and each wants a processor for itself. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return async (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return await mine;
  };
}
