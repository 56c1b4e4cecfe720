/**
 * The keys of this phone, one for each person who works with it: made here, kept in IndexedDB, never
 * readable, not even by us.
 *
 * The server learns the public half at enrolment and knows by it which device a capture is from. A
 * key is nobody's until its enrolment has told whose code it was.
 */

import { base64url } from './canonical';
import type { Database } from './database';
import type { Sign, Signer } from './ports';

const OF = 'device_key:';
const NOBODYS = 'device_key';
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };

/** The public half, as the enrolment takes it. */
export type PublicKey = Pick<JsonWebKey, 'kty' | 'crv' | 'x' | 'y'>;

export class DeviceKeys implements Signer {
  constructor(
    private readonly subtle: SubtleCrypto,
    private readonly database: () => Database,
  ) {}

  /** Find what signs in this person's name, 64 bytes as base64url; null when they are not enrolled here. */
  async of(person_id: string): Promise<Sign | null> {
    const pair = await this.#read(OF + person_id);
    if (pair === undefined) return null;
    return async (bytes) => base64url(await this.subtle.sign(SIGNATURE, pair.privateKey, bytes));
  }

  /** Return the public half of this person's key; null when there is none. */
  async publicKey(person_id: string): Promise<PublicKey | null> {
    const pair = await this.#read(OF + person_id);
    return pair === undefined ? null : this.#export(pair);
  }

  /** Return the public half of a key that is nobody's yet; the same one until it is somebody's. */
  async fresh(): Promise<PublicKey> {
    const stored = await this.#read(NOBODYS);
    if (stored !== undefined) return this.#export(stored);
    const made = (await this.subtle.generateKey(CURVE, false, ['sign', 'verify'])) as CryptoKeyPair;
    const kept = await this.database().write(['meta'], async (transaction) => {
      // Another tab may have been quicker; then its key is the key.
      const first = (await transaction.objectStore('meta').get(NOBODYS)) as
        CryptoKeyPair | undefined;
      if (first === undefined) await transaction.objectStore('meta').put(made, NOBODYS);
      return first ?? made;
    });
    return this.#export(kept);
  }

  /** Let the key that was nobody's be this person's from now on. */
  adopt(person_id: string): Promise<void> {
    return this.database().write(['meta'], async (transaction) => {
      const meta = transaction.objectStore('meta');
      const pair = (await meta.get(NOBODYS)) as CryptoKeyPair | undefined;
      if (pair === undefined) return;
      await meta.put(pair, OF + person_id);
      await meta.delete(NOBODYS);
    });
  }

  /** Forget the key that is nobody's: the server knows it as somebody else's, who is not here. */
  discard(): Promise<void> {
    return this.database().write(['meta'], (transaction) =>
      transaction.objectStore('meta').delete(NOBODYS),
    );
  }

  #read(name: string): Promise<CryptoKeyPair | undefined> {
    return this.database().read(['meta'], async (transaction) => {
      return (await transaction.objectStore('meta').get(name)) as CryptoKeyPair | undefined;
    });
  }

  async #export(pair: CryptoKeyPair): Promise<PublicKey> {
    const { kty, crv, x, y } = await this.subtle.exportKey('jwk', pair.publicKey);
    return { kty, crv, x, y } as PublicKey;
  }
}
