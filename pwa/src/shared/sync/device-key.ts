/**
 * The key of this device: made here once, kept in IndexedDB, never readable, not even by us.
 *
 * The server learns the public half at enrolment and knows by it which device a capture is from.
 */

import { base64url } from './canonical';
import type { Database } from './database';
import type { Signer } from './ports';

const KEY = 'device_key';
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };

export class DeviceKey implements Signer {
  #pair: Promise<CryptoKeyPair> | null = null;

  constructor(
    private readonly subtle: SubtleCrypto,
    private readonly database: () => Database,
  ) {}

  /** Sign with the key of this device, which is made at the first call; base64url of 64 bytes. */
  async sign(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const { privateKey } = await this.#get();
    return base64url(await this.subtle.sign(SIGNATURE, privateKey, bytes));
  }

  /** Return the public half as a JWK, for the enrolment. */
  async publicKey(): Promise<JsonWebKey> {
    const { publicKey } = await this.#get();
    return this.subtle.exportKey('jwk', publicKey);
  }

  #get(): Promise<CryptoKeyPair> {
    this.#pair ??= this.#load().catch((failure: unknown) => {
      this.#pair = null;
      throw failure;
    });
    return this.#pair;
  }

  async #load(): Promise<CryptoKeyPair> {
    const stored = await this.database().read(['meta'], (transaction) =>
      transaction.objectStore('meta').get(KEY),
    );
    if (stored !== undefined) return stored as CryptoKeyPair;
    const made = (await this.subtle.generateKey(CURVE, false, ['sign', 'verify'])) as CryptoKeyPair;
    return this.database().write(['meta'], async (transaction) => {
      // Another tab may have been quicker; then its key is the key of the device.
      const first = (await transaction.objectStore('meta').get(KEY)) as CryptoKeyPair | undefined;
      if (first === undefined) await transaction.objectStore('meta').put(made, KEY);
      return first ?? made;
    });
  }
}
