/**
 * The places that are not told yet: at most 500, the oldest gives way.
 *
 * A database of its own, since nothing here is a capture: it may be lost, and must never be in the way
 * of what may not. What another person has left on this phone is deleted, never sent.
 */

import { openDB, type DBSchema, type IDBPDatabase } from 'idb';

import type { Battery } from './sieve';

export const MOST = 500;

/** A place as the server takes it. */
export interface Fix {
  id: string;
  captured_at: string;
  mono_ms: number;
  server_at: string | null;
  server_mono_ms: number | null;
  lat: number;
  lng: number;
  accuracy_m: number;
  speed_mps: number | null;
  battery: Battery | null;
}

interface Schema extends DBSchema {
  fix: { key: number; value: { person_id: string; fix: Fix } };
}

export class Ring {
  #open: Promise<IDBPDatabase<Schema>> | null = null;

  constructor(private readonly name = 'doorstep-places') {}

  /** Keep a place; where there are too many, the oldest go. */
  async add(person_id: string, fix: Fix): Promise<void> {
    const transaction = (await this.#database()).transaction('fix', 'readwrite');
    await transaction.store.add({ person_id, fix });
    let over = (await transaction.store.count()) - MOST;
    for (
      let cursor = over > 0 ? await transaction.store.openCursor() : null;
      cursor !== null && over > 0;
      cursor = await cursor.continue()
    ) {
      await cursor.delete();
      over -= 1;
    }
    await transaction.done;
  }

  /** Return the oldest of this person, and delete whatever is another's. */
  async oldest(person_id: string, count: number): Promise<{ keys: number[]; fixes: Fix[] }> {
    const transaction = (await this.#database()).transaction('fix', 'readwrite');
    const found: { keys: number[]; fixes: Fix[] } = { keys: [], fixes: [] };
    for (
      let cursor = await transaction.store.openCursor();
      cursor !== null && found.keys.length < count;
      cursor = await cursor.continue()
    ) {
      if (cursor.value.person_id !== person_id) {
        await cursor.delete();
        continue;
      }
      found.keys.push(cursor.key);
      found.fixes.push(cursor.value.fix);
    }
    await transaction.done;
    return found;
  }

  /** Forget what was told. */
  async forget(keys: number[]): Promise<void> {
    const transaction = (await this.#database()).transaction('fix', 'readwrite');
    for (const key of keys) await transaction.store.delete(key);
    await transaction.done;
  }

  #database(): Promise<IDBPDatabase<Schema>> {
    this.#open ??= openDB<Schema>(this.name, 1, {
      upgrade: (database) => void database.createObjectStore('fix', { autoIncrement: true }),
      // iOS drops connections under memory pressure; the next call opens anew.
      terminated: () => (this.#open = null),
    }).catch((failure: unknown) => {
      this.#open = null;
      throw failure;
    });
    return this.#open;
  }
}
