/**
 * Transactions on the outbox's database, each whole or not at all.
 *
 * iOS drops the connection of a page under memory pressure; then it is opened again and the work
 * begun once more, never with an empty database in its place.
 */

import { wrap, type IDBPDatabase, type IDBPTransaction, type StoreNames } from 'idb';

import { DATABASE_NAME, RESERVE, STEPS, type OutboxSchema, type Upgrade } from './schema';

type Store = StoreNames<OutboxSchema>;
type Work<S extends Store, M extends IDBTransactionMode, T> = (
  transaction: IDBPTransaction<OutboxSchema, S[], M>,
) => Promise<T>;

/** The phone has no room left, so nothing of this write was kept. */
export class StorageFull extends Error {
  override readonly name = 'StorageFull';
}

export class Database {
  #open: Promise<IDBPDatabase<OutboxSchema>> | null = null;

  constructor(private readonly factory: IDBFactory) {}

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
      if (nameOf(failure) !== 'QuotaExceededError') throw failure;
      throw new StorageFull('The phone has no room left.', { cause: failure });
    }
  }

  /** Let go of the connection. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    (await open)?.close();
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
    const transaction = await this.#begin(stores, mode);
    try {
      const result = await work(transaction);
      // What was read stands; only what was written has to be on the disk.
      if (mode === 'readwrite') await transaction.done;
      else transaction.done.catch(() => undefined);
      return result;
    } catch (failure) {
      // The transaction's own error tells more than the AbortError of one of its requests.
      transaction.done.catch(() => undefined);
      const cause: unknown = transaction.error;
      abortQuietly(transaction);
      throw cause ?? failure;
    }
  }

  async #begin<S extends Store, M extends IDBTransactionMode>(
    stores: S[],
    mode: M,
  ): Promise<IDBPTransaction<OutboxSchema, S[], M>> {
    const begin = async (): Promise<IDBPTransaction<OutboxSchema, S[], M>> =>
      (await this.#connection()).transaction(stores, mode, { durability: 'strict' });
    try {
      return await begin();
    } catch (failure) {
      if (!['InvalidStateError', 'UnknownError'].includes(nameOf(failure))) throw failure;
      this.#open = null;
      return begin();
    }
  }

  #connection(): Promise<IDBPDatabase<OutboxSchema>> {
    this.#open ??= this.#connect().catch((failure: unknown) => {
      this.#open = null;
      throw failure;
    });
    return this.#open;
  }

  async #connect(): Promise<IDBPDatabase<OutboxSchema>> {
    try {
      return await this.#openAt(STEPS.length);
    } catch (failure) {
      if (nameOf(failure) !== 'VersionError') throw failure;
      // A newer app has been here. Its steps only add, so this version works on as before.
      return this.#openAt(undefined);
    }
  }

  async #openAt(version: number | undefined): Promise<IDBPDatabase<OutboxSchema>> {
    const request = this.factory.open(DATABASE_NAME, version);
    request.addEventListener('upgradeneeded', (event) => {
      const database = wrap(request.result) as unknown as IDBPDatabase<OutboxSchema>;
      const upgrade = wrap(request.transaction as IDBTransaction) as unknown as Upgrade;
      for (const step of STEPS.slice(event.oldVersion)) step(database, upgrade);
    });
    const database = (await wrap(request)) as unknown as IDBPDatabase<OutboxSchema>;
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

function abortQuietly(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch {
    // It has ended already.
  }
}

function nameOf(failure: unknown): string {
  return failure instanceof Error || failure instanceof DOMException ? failure.name : '';
}
