/**
 * One life of a page, which can end between any two steps.
 *
 * Every step to the outside is counted. At the chosen one the life ends as a killed process does:
 * open transactions are undone, locks become free, and nothing it still tries has any effect.
 */

import type { Locks } from '../../src/shared/sync/ports';

export class Killed extends Error {
  override readonly name = 'Killed';
}

type Fault = () => DOMException | null;

export class Life {
  dead = false;
  steps = 0;
  readonly #transactions = new Set<IDBTransaction>();
  readonly #databases = new Set<IDBDatabase>();
  readonly #freed: (() => void)[] = [];

  constructor(
    private readonly killAt: number | null = null,
    private readonly writeFault: Fault = () => null,
  ) {}

  /** Go one step further, or die here. */
  step(): void {
    if (this.dead) throw new Killed();
    this.steps += 1;
    if (this.steps !== this.killAt) return;
    this.kill();
    throw new Killed();
  }

  kill(): void {
    if (this.dead) return;
    this.dead = true;
    for (const transaction of this.#transactions) {
      try {
        transaction.abort();
      } catch {
        // It has ended already.
      }
    }
    for (const database of this.#databases) database.close();
    for (const free of this.#freed) free();
  }

  /** Make each call a step before and a step after: the answer may come to nobody. */
  mortal<A extends unknown[], T>(call: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
    return async (...args) => {
      this.step();
      const result = await call(...args);
      this.step();
      return result;
    };
  }

  locks(shared: SharedLocks): Locks {
    return {
      across_pages: true,
      request: async (name, { ifAvailable }, work) => {
        this.step();
        if (ifAvailable && shared.held.has(name)) return work(null);
        while (shared.held.has(name)) await new Promise((turn) => setTimeout(turn));
        // Whoever died while waiting never gets it.
        if (this.dead) throw new Killed();
        shared.held.add(name);
        const free = (): void => void shared.held.delete(name);
        this.#freed.push(free);
        try {
          return await work({ name });
        } finally {
          // A dead holder was freed by its death, and another may hold the lock by now.
          if (!this.dead) free();
        }
      },
    };
  }

  storage(factory: IDBFactory): IDBFactory {
    const open = (name: string, version?: number): IDBOpenDBRequest => {
      this.step();
      const request = factory.open(name, version);
      request.addEventListener('success', () => this.#watchDatabase(request.result));
      return request;
    };
    return { open } as unknown as IDBFactory;
  }

  #watchDatabase(database: IDBDatabase): void {
    this.#databases.add(database);
    const begin = database.transaction.bind(database);
    database.transaction = (...args) => {
      this.step();
      const transaction = begin(...args);
      this.#transactions.add(transaction);
      const storeOf = transaction.objectStore.bind(transaction);
      transaction.objectStore = (name) => this.#watchStore(storeOf(name));
      for (const end of ['complete', 'abort']) {
        transaction.addEventListener(end, () => this.#transactions.delete(transaction));
      }
      return transaction;
    };
  }

  #watchStore(store: IDBObjectStore): IDBObjectStore {
    if (Object.hasOwn(store, 'put')) return store;
    const indexOf = store.index.bind(store);
    store.index = (name) => this.#watchReads(indexOf(name));
    for (const method of ['put', 'add', 'delete'] as const) {
      const call = store[method].bind(store) as (...args: unknown[]) => IDBRequest;
      const watched = (...args: unknown[]): IDBRequest => {
        this.step();
        if (method !== 'delete') this.#needRoom();
        return call(...args);
      };
      Object.assign(store, { [method]: watched });
    }
    return this.#watchReads(store);
  }

  #needRoom(): void {
    const fault = this.writeFault();
    if (fault !== null) throw fault;
  }

  /** What a cursor writes over needs room too. */
  #watchCursor(cursor: IDBCursorWithValue | null): void {
    if (cursor === null || Object.hasOwn(cursor, 'update')) return;
    const call = cursor.update.bind(cursor);
    const update = (value: unknown): IDBRequest<IDBValidKey> => {
      this.step();
      this.#needRoom();
      return call(value);
    };
    Object.assign(cursor, { update });
  }

  #watchReads<T extends IDBObjectStore | IDBIndex>(source: T): T {
    for (const method of ['get', 'getAll', 'count', 'openCursor'] as const) {
      if (Object.hasOwn(source, method)) continue;
      const call = source[method].bind(source) as (...args: unknown[]) => IDBRequest;
      const watched = (...args: unknown[]): IDBRequest => {
        this.step();
        const request = call(...args);
        if (method === 'openCursor') {
          const found = request as IDBRequest<IDBCursorWithValue | null>;
          found.addEventListener('success', () => this.#watchCursor(found.result));
        }
        return request;
      };
      Object.assign(source, { [method]: watched });
    }
    return source;
  }
}

/** The locks of one browser, shared by its pages. */
export class SharedLocks {
  readonly held = new Set<string>();
}
