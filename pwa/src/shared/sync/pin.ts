/**
 * The PIN on the screen: it keeps a glance away, nothing else.
 *
 * It locks neither the outbox nor the sync. After ten wrong ones it opens no more; then a sign-in
 * with the server, which counts for itself, sets it anew.
 */

import type { Database } from './database';

export const ATTEMPTS = 10;

/** About a tenth of a second on a cheap phone; kept with each PIN, so that it may grow. */
export const ITERATIONS = 120_000;

interface StoredPin {
  salt: Uint8Array<ArrayBuffer>;
  hash: ArrayBuffer;
  iterations: number;
  failures: number;
}

/** `sign_in`: none is set, or too many were wrong. */
export type Unlocked = { open: true } | { open: false; left: number } | { open: 'sign_in' };

export class PinLock {
  constructor(
    private readonly crypto: Crypto,
    private readonly database: () => Database,
    private readonly iterations: number = ITERATIONS,
  ) {}

  /** Set the PIN of a person who has just signed in with it. */
  async set(person_id: string, pin: string): Promise<void> {
    const salt = this.crypto.getRandomValues(new Uint8Array(16));
    const hash = await this.#hash(pin, salt, this.iterations);
    await this.#write(person_id, { salt, hash, iterations: this.iterations, failures: 0 });
  }

  /** Try a PIN. The attempt is on the disk before it is looked at, so a restart wins nothing. */
  async unlock(person_id: string, pin: string): Promise<Unlocked> {
    const stored = await this.#count(person_id);
    if (stored === null) return { open: 'sign_in' };
    const hash = await this.#hash(pin, stored.salt, stored.iterations);
    if (!isSame(hash, stored.hash)) {
      const left = ATTEMPTS - stored.failures;
      return left > 0 ? { open: false, left } : { open: 'sign_in' };
    }
    await this.#write(person_id, { ...stored, failures: 0 });
    return { open: true };
  }

  #count(person_id: string): Promise<StoredPin | null> {
    return this.database().write(['meta'], async (transaction) => {
      const meta = transaction.objectStore('meta');
      const stored = (await meta.get(key(person_id))) as StoredPin | undefined;
      if (stored === undefined || stored.failures >= ATTEMPTS) return null;
      const counted = { ...stored, failures: stored.failures + 1 };
      await meta.put(counted, key(person_id));
      return counted;
    });
  }

  async #write(person_id: string, stored: StoredPin): Promise<void> {
    await this.database().write(['meta'], (transaction) =>
      transaction.objectStore('meta').put(stored, key(person_id)),
    );
  }

  async #hash(
    pin: string,
    salt: Uint8Array<ArrayBuffer>,
    iterations: number,
  ): Promise<ArrayBuffer> {
    const bytes = new TextEncoder().encode(pin);
    const secret = await this.crypto.subtle.importKey('raw', bytes, 'PBKDF2', false, [
      'deriveBits',
    ]);
    const how = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations };
    return this.crypto.subtle.deriveBits(how, secret, 256);
  }
}

function isSame(left: ArrayBuffer, right: ArrayBuffer): boolean {
  const [a, b] = [new Uint8Array(left), new Uint8Array(right)];
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function key(person_id: string): string {
  return `pin:${person_id}`;
}
