/**
 * Transactions on the outbox's database, each whole or not at all.
 *
 * iOS drops the connection of a page under memory pressure; then it is opened again and the work
 * begun once more, never with an empty database in its place.
 */

import {
  wrap,
  type IDBPDatabase,
  type IDBPObjectStore,
  type IDBPTransaction,
  type StoreNames,
} from 'idb';

import type { Copied } from './copy';
import { DATABASE_NAME, NEW, RESERVE, STEPS, type OutboxSchema, type Upgrade } from './schema';

type Store = StoreNames<OutboxSchema>;
type Work<S extends Store, M extends IDBTransactionMode, T> = (
  transaction: IDBPTransaction<OutboxSchema, S[], M>,
) => Promise<T>;

/** The phone has no room left, so nothing of this write was kept. */
export class StorageFull extends Error {
  override readonly name = 'StorageFull';
}

/** What was done to a row: the store, how, the row itself or the key of what was deleted, its key. */
export type Change = [
  store: Copied,
  method: 'put' | 'add' | 'delete',
  first: unknown,
  key: unknown,
];

export type Connection = IDBPDatabase<OutboxSchema>;

/** A second copy of what only this phone has (`copy.ts`); where it fails, there is none. */
export interface Copies {
  /** Bring what it has to a database that was just made; fails where that one has no room. */
  restore(main: Connection): Promise<void>;
  /** Bring it to where the first one is. */
  level(main: Connection): Promise<void>;
  /** Pass a transaction on, and write down what is done in it. */
  hear<T extends object>(transaction: T, changes: Change[]): T;
  /** Do there what was done here. */
  take(changes: Change[]): Promise<void>;
  /** Give it up for what has to be written; false when there is none, or it is all there is. */
  makeRoom(): Promise<boolean>;
}

export class Database {
  #open: Promise<Connection> | null = null;

  /** What was written is on the disk, and in the copy, when a write returns. */
  constructor(
    private readonly factory: IDBFactory,
    private readonly copies: Promise<Copies | null> = Promise.resolve(null),
  ) {}

  /** Read from the stores as they are at one moment. */
  read<S extends Store, T>(stores: S[], work: Work<S, 'readonly', T>): Promise<T> {
    return this.#run(stores, 'readonly', work);
  }

  /**
   * Write to the stores; when this returns, all of it is on the disk, else nothing is.
   *
   * Work may wait only for requests of its transaction: anything else would end it too early. It is
   * begun once more on the room of the reserve where there is no other. Raises StorageFull.
   */
  async write<S extends Store, T>(stores: S[], work: Work<S, 'readwrite', T>): Promise<T> {
    try {
      return await this.writeNew(stores, work);
    } catch (failure) {
      if (!(failure instanceof StorageFull) || !(await this.#giveUpReserve())) throw failure;
      return this.writeNew(stores, work);
    }
  }

  /** Write as `write` does, but never at the cost of the reserve that the sync lives on. */
  async writeNew<S extends Store, T>(stores: S[], work: Work<S, 'readwrite', T>): Promise<T> {
    try {
      return await this.#run(stores, 'readwrite', work);
    } catch (failure) {
      if (!(failure instanceof StorageFull) || !(await this.#giveUpCopy())) throw failure;
      return this.#run(stores, 'readwrite', work);
    }
  }

  /** Let go of the connection. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    (await open)?.close();
  }

  /** Rather one of each than no second one of anything. */
  async #giveUpCopy(): Promise<boolean | undefined> {
    return (await this.copies)?.makeRoom();
  }

  /** Make room by what was kept for this; false when it is gone already. */
  #giveUpReserve(): Promise<boolean> {
    return this.#run(['meta'], 'readwrite', async (transaction) => {
      const meta = transaction.objectStore('meta');
      if ((await meta.count(RESERVE)) === 0) return false;
      await meta.delete(RESERVE);
      return true;
    });
  }

  async #run<S extends Store, M extends IDBTransactionMode, T>(
    stores: S[],
    mode: M,
    work: Work<S, M, T>,
  ): Promise<T> {
    const copies = mode === 'readwrite' ? await this.copies : null;
    const transaction = await this.#begin(stores, mode);
    const changes: Change[] = [];
    try {
      const result = await work(copies?.hear(transaction, changes) ?? transaction);
      // What was read stands; only what was written has to be on the disk.
      if (mode === 'readwrite') await transaction.done;
      else transaction.done.catch(() => undefined);
      await copies?.take(changes);
      return result;
    } catch (failure) {
      // The transaction's own error tells more than the AbortError of one of its requests.
      transaction.done.catch(() => undefined);
      const cause: unknown = transaction.error;
      abortQuietly(transaction);
      throw orFull(cause ?? failure);
    }
  }

  async #begin<S extends Store, M extends IDBTransactionMode>(
    stores: S[],
    mode: M,
  ): Promise<IDBPTransaction<OutboxSchema, S[], M>> {
    const begin = async (): Promise<IDBPTransaction<OutboxSchema, S[], M>> =>
      (await this.connection()).transaction(stores, mode, { durability: 'strict' });
    try {
      return await begin();
    } catch (failure) {
      if (!['InvalidStateError', 'UnknownError'].includes(nameOf(failure))) throw failure;
      this.#open = null;
      return begin();
    }
  }

  /** Return the connection, opened when it is not. */
  connection(): Promise<Connection> {
    this.#open ??= this.#connect().catch((failure: unknown) => {
      this.#open = null;
      throw orFull(failure);
    });
    return this.#open;
  }

  async #connect(): Promise<Connection> {
    const database = await this.#openAt(STEPS.length).catch((failure: unknown) => {
      if (nameOf(failure) !== 'VersionError') throw failure;
      // A newer app has been here. Its steps only add, so this version works on as before.
      return this.#openAt(undefined);
    });
    await this.#settle(database);
    void this.copies.then((copies) => copies?.level(database));
    return database;
  }

  /**
   * Nobody works with a database before it has what was there before it.
   *
   * Until then the copy is all there is: a phone without the room for it must get some first.
   */
  async #settle(database: Connection): Promise<void> {
    const fresh = await inStore(database, 'meta', 'readonly', (meta) => meta.count(NEW));
    if (fresh === 0) return;
    await (await this.copies)?.restore(database);
    await inStore(database, 'meta', 'readwrite', (meta) => meta.delete(NEW));
  }

  async #openAt(version: number | undefined): Promise<Connection> {
    const request = this.factory.open(DATABASE_NAME, version);
    request.addEventListener('upgradeneeded', (event) => {
      const database = wrap(request.result) as unknown as Connection;
      const upgrade = wrap(request.transaction as IDBTransaction) as unknown as Upgrade;
      for (const step of STEPS.slice(event.oldVersion)) step(database, upgrade);
      if (event.oldVersion === 0) void upgrade.objectStore('meta').put(true, NEW);
    });
    const database = (await wrap(request)) as unknown as Connection;
    // A newer version of the app must be able to take its steps while this one is open.
    database.addEventListener('versionchange', () => {
      this.#open = null;
      database.close();
    });
    database.addEventListener('close', () => {
      this.#open = null;
    });
    return database;
  }
}

/** Ask or change one thing of one store, in a transaction of its own. */
export async function inStore<S extends Store, M extends IDBTransactionMode, T>(
  database: Connection,
  name: S,
  mode: M,
  work: (store: IDBPObjectStore<OutboxSchema, [S], S, M>) => Promise<T>,
): Promise<T> {
  const transaction = database.transaction(name, mode);
  transaction.done.catch(() => undefined);
  const result = await work(transaction.objectStore(name));
  await transaction.done;
  return result;
}

function abortQuietly(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch {
    // It has ended already.
  }
}

/** Say in a word of ours that there is no room; return any other failure as it is. */
function orFull(failure: unknown): unknown {
  if (nameOf(failure) !== 'QuotaExceededError') return failure;
  return new StorageFull('No room is left.', { cause: failure });
}

function nameOf(failure: unknown): string {
  return failure instanceof Error || failure instanceof DOMException ? failure.name : '';
}
