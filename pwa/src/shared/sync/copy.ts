/**
 * A second copy of what only this phone has, kept apart from the first.
 *
 * Chromium goes on writing behind a record that a killed browser has left half written, and takes the
 * whole file for damaged once it reads it again: then every database of the app begins empty
 * (google/leveldb#1287). What lies in a bucket of its own lies in other files, and comes back from
 * there: captures and pictures, who works here, the keys.
 */

import { inStore, type Change, type Connection, type Copies, type Database } from './database';
import { NEW, RESERVE, SEQUENCE, type Entry } from './schema';

/**
 * What the server cannot give again, and what has become of it.
 *
 * In this order, so that whoever dies in the middle leaves no capture without its pictures, and no
 * number without its capture.
 */
export const COPIED = [
  'media_bytes',
  'draft_picture',
  'media',
  'draft',
  'state',
  'quarantine',
  'tombstone',
  'entry',
  'session',
  'meta',
] as const;

export type Copied = (typeof COPIED)[number];

/** The name under which a copy that has everything says so, in its own `meta`. */
export const WHOLE = 'copy_whole';

/** What in `meta` belongs to one of the two alone. */
const OWN = new Set<unknown>([WHOLE, NEW, RESERVE]);

/** What is no row to be brought as it is. */
const APART = new Set<unknown>([...OWN, SEQUENCE]);

/** Rows that are as large as a picture. */
const LARGE: readonly Copied[] = ['media_bytes', 'draft_picture'];

/** Rows that are written once. */
const NEVER_CHANGE: readonly Copied[] = [...LARGE, 'entry', 'tombstone'];

interface Meta {
  get(key: string): Promise<unknown>;
  put(value: never, key: string): Promise<unknown>;
}
type Method = (...args: unknown[]) => unknown;

export class Copy implements Copies {
  #given_up = false;
  /** What is here is nowhere else at this time. */
  #is_all = false;
  /** Whoever died may have left out something; nothing new is told before that is there. */
  #level: Promise<void> = Promise.resolve();

  /**
   * `forget` deletes the copy, and while this page lives nobody makes another one, which would lack
   * what it writes.
   */
  constructor(
    private readonly database: Database,
    private readonly forget: () => Promise<unknown>,
  ) {}

  async restore(main: Connection): Promise<void> {
    const copy = await this.#try(async (there) => ((await isWhole(there)) ? there : null));
    if (copy === null) return;
    this.#is_all = true;
    const keys = await keysOf(copy);
    for (const name of COPIED) await bring(copy, main, name, keys[name]);
    // Found at both places, it was on its way from one to the other: to send it again does no harm.
    await remove(main, 'quarantine', keys.entry);
    await raiseTo(main, await lastNumber(copy));
    this.#is_all = false;
  }

  async level(main: Connection): Promise<void> {
    const whole = (await this.#try(isWhole)) ?? false;
    const done = this.#try(async (copy) => {
      await levelled(main, copy);
      if (!whole) await inStore(copy, 'meta', 'readwrite', (meta) => meta.put(true, WHOLE));
    });
    // The first time all there is may have to be copied, and nobody waits for that.
    if (whole) this.#level = done.then(() => undefined);
    await done;
  }

  hear<T extends object>(transaction: T, changes: Change[]): T {
    const hearStore = (name: Copied, store: object): object =>
      COPIED.includes(name)
        ? overheard(store, (method, call) => (...args: unknown[]) => {
            if (isChange(method)) changes.push([name, method, args[0], args[1]]);
            return call(...args);
          })
        : store;
    return overheard(transaction, (method, call) => (...args: unknown[]) => {
      const found = call(...args);
      return method === 'objectStore' ? hearStore(args[0] as Copied, found as object) : found;
    });
  }

  async take(changes: Change[]): Promise<void> {
    const made = changes.filter(([, , first, key]) => !OWN.has(key ?? first));
    if (made.length === 0) return;
    const numbers = made.flatMap(([store, method, row]) =>
      store === 'entry' && method !== 'delete' ? [(row as Entry).device_seq] : [],
    );
    // Whoever sends what another page has captured may be here before that page is.
    if (numbers.length > 0) made.push(['meta', 'put', Math.max(...numbers), SEQUENCE]);
    const stores = [...new Set(made.map(([store]) => store))];
    await this.#level;
    await this.#try(async (copy) => {
      // What the system has outlives the browser; that it is on the disk is the first one's part.
      const transaction = copy.transaction(stores, 'readwrite', { durability: 'relaxed' });
      transaction.done.catch(() => undefined);
      for (const [name, method, first, key] of made) {
        const store = transaction.objectStore(name);
        if (method === 'delete') await store.delete(first as IDBKeyRange);
        else if (key === SEQUENCE && numbers.length > 0) await raise(store, Number(first));
        else await store.put(first as never, key as string | undefined);
      }
      await transaction.done;
    });
  }

  async makeRoom(): Promise<boolean> {
    if (this.#given_up || this.#is_all) return false;
    await this.#giveUp();
    return true;
  }

  /** A copy that lacks something must not come back, so it is given up as a whole. */
  async #try<T>(work: (copy: Connection) => Promise<T>): Promise<T | null> {
    if (this.#given_up) return null;
    try {
      return await work(await this.database.connection());
    } catch {
      await this.#giveUp();
      return null;
    }
  }

  async #giveUp(): Promise<void> {
    if (this.#given_up) return;
    this.#given_up = true;
    await this.forget().catch(() => undefined);
  }
}

async function isWhole(copy: Connection): Promise<boolean> {
  return (await inStore(copy, 'meta', 'readonly', (meta) => meta.count(WHOLE))) > 0;
}

/**
 * Let the copy have what the first one has: of what never changes what is missing, of the rest all.
 *
 * Whoever dies in the middle leaves no number without its capture, and nothing that is to be sent
 * without what it needs: so numbers come last, and what is over goes after all that is new is there.
 */
async function levelled(main: Connection, copy: Connection): Promise<void> {
  const last = await lastNumber(main);
  // In this order, what is written meanwhile is never taken for something that was deleted.
  const [copied, wanted] = [await keysOf(copy), await keysOf(main)];
  const over: [Copied, unknown[]][] = [];
  for (const name of COPIED) {
    const [there, here] = [texts(copied[name]), texts(wanted[name])];
    const missing = wanted[name].filter(
      (key) => !NEVER_CHANGE.includes(name) || !there.has(String(key)),
    );
    await bring(main, copy, name, missing);
    over.push([name, copied[name].filter((key) => !here.has(String(key)))]);
  }
  await raiseTo(copy, last);
  for (const [name, keys] of over) await remove(copy, name, keys);
}

async function remove(database: Connection, name: Copied, keys: unknown[]): Promise<void> {
  await inStore(database, name, 'readwrite', (store) =>
    Promise.all(keys.map(async (key) => store.delete(key as never))),
  );
}

function texts(keys: unknown[]): Set<string> {
  return new Set(keys.map(String));
}

/** Return the last number that was taken, as far as this database knows. */
async function lastNumber(database: Connection): Promise<number> {
  const told = await inStore(database, 'meta', 'readonly', (meta) => meta.get(SEQUENCE));
  const entries = await inStore(database, 'entry', 'readonly', (store) => store.getAll());
  return Math.max(Number(told ?? 0), ...entries.map((entry) => entry.device_seq));
}

/** A number that was once taken is never free again, but by taking back its capture. */
async function raise(meta: Meta, number: number): Promise<void> {
  const last: unknown = await meta.get(SEQUENCE);
  if (!(Number(last) >= number)) await meta.put(number as never, SEQUENCE);
}

function raiseTo(database: Connection, number: number): Promise<void> {
  return inStore(database, 'meta', 'readwrite', (meta) => raise(meta, number));
}

/** Return the keys of all that is copied, as they are at one moment. */
async function keysOf(database: Connection): Promise<Record<Copied, unknown[]>> {
  const transaction = database.transaction([...COPIED], 'readonly');
  transaction.done.catch(() => undefined);
  const found = COPIED.map(async (name): Promise<[Copied, unknown[]]> => {
    const keys = await transaction.objectStore(name).getAllKeys();
    return [name, keys.filter((key) => !APART.has(key))];
  });
  return Object.fromEntries(await Promise.all(found)) as Record<Copied, unknown[]>;
}

/** Bring rows from one database to the other; of large ones a phone has no room for two at once. */
async function bring(
  from: Connection,
  to: Connection,
  name: Copied,
  keys: unknown[],
): Promise<void> {
  const most = LARGE.includes(name) ? 1 : 500;
  for (let at = 0; at < keys.length; at += most) {
    const some = keys.slice(at, at + most);
    // What cannot be read any more must not keep the rest from coming.
    const rows = await inStore(from, name, 'readonly', (store) =>
      Promise.all(some.map(async (key) => store.get(key as never))),
    ).catch(() => []);
    await inStore(to, name, 'readwrite', async (store) => {
      for (const [n, row] of rows.entries()) {
        const beside = name === 'meta' ? some[n] : undefined;
        if (row !== undefined) await store.put(row as never, beside as never);
      }
    });
  }
}

/** Stand in for an object, whose methods are called by what `swap` makes of them. */
function overheard<T extends object>(target: T, swap: (name: string, call: Method) => Method): T {
  return new Proxy(target, {
    get(_, name) {
      const found: unknown = Reflect.get(target, name);
      return typeof found === 'function' ? swap(String(name), found.bind(target) as Method) : found;
    },
  });
}

function isChange(method: string): method is Change[1] {
  return ['put', 'add', 'delete'].includes(method);
}
