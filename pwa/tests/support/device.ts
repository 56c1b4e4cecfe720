/** A phone on the model's network: time, storage, sessions, and a life after another. */

import { createHash } from 'node:crypto';

import { IDBFactory as Storage } from 'fake-indexeddb';

import type { Ports, Session, ShutOut, StorageGauge } from '../../src/shared/sync/ports';
import { Sync } from '../../src/shared/sync/sync';
import type { Way } from './bad-network';
import { Life, SharedLocks } from './life';
import { ModelServer, toRequest, toResponse, type Answer, type Request } from './model-server';
import type { Random } from './random';

export const EPOCH = Date.parse('2026-11-26T10:00:00.000Z');

/** What lies between phone and server; the plain one brings everything through. */
export type Network = (request: Request, server: ModelServer) => Promise<Answer>;

export const plainNetwork: Network = (request, server) => Promise.resolve(server.handle(request));

export class Device {
  elapsed = 0;
  skew = 0;
  network: Network = plainNetwork;
  writeFault: () => DOMException | null = () => null;
  canRenew = true;
  session: Session | null = null;
  shutOut: ShutOut | null = null;
  gauge: StorageGauge = { used: 1_000, quota: 1_000_000, persisted: true };
  readonly signedOut: string[] = [];
  readonly storage: IDBFactory = new Storage();
  readonly locks = new SharedLocks();
  readonly server: ModelServer;
  /** The way to the model of the server. */
  readonly way: Way = {
    pass: (ms) => void (this.elapsed += ms),
    deliver: (request) => Promise.resolve(this.server.handle(request)),
    breakOff: () => Promise.resolve(),
    endTokens: () => this.server.tokens.clear(),
  };
  #boots = 0;
  #tokens = 0;

  constructor(readonly random: Random) {
    this.server = new ModelServer(() => EPOCH + this.elapsed);
  }

  /** Sign a person in with a fresh token. */
  signIn(person_id: string): void {
    this.#tokens += 1;
    const token = `${person_id}-${this.#tokens}`;
    this.server.tokens.set(token, person_id);
    this.session = { person_id, token };
  }

  /** Begin a life of page or worker on what the earlier ones have left. */
  boot(
    killAt: number | null = null,
    changes: Partial<Ports> | ((ports: Ports, life: Life) => Partial<Ports>) = {},
  ): { sync: Sync; life: Life } {
    const life = new Life(killAt, () => this.writeFault());
    const born = this.elapsed;
    this.#boots += 1;
    const ports: Ports = {
      fetch: life.mortal(async (url, init) =>
        toResponse(await this.network(toRequest(url, init), this.server)),
      ),
      indexedDB: life.storage(this.storage),
      clock: {
        now: () => EPOCH + this.elapsed + this.skew,
        mono: () => this.elapsed - born,
      },
      timers: { after: () => () => undefined },
      locks: life.locks(this.locks),
      gauge: life.mortal(() => Promise.resolve(this.gauge)),
      digest: life.mortal((bytes: ArrayBuffer) => Promise.resolve(sha256(bytes))),
      random32: this.random.bits,
      signer: {
        of: life.mortal(() => Promise.resolve(life.mortal(() => Promise.resolve('signature')))),
      },
      sessions: {
        current: life.mortal(() => Promise.resolve(this.session)),
        renew: life.mortal(() => Promise.resolve(this.#renew())),
        shutOut: life.mortal(() => Promise.resolve(this.shutOut)),
        signOut: life.mortal(async (session: Session) => {
          this.server.tokens.delete(session.token);
          this.signedOut.push(session.person_id);
          this.session = null;
        }),
      },
      boot: `boot-${this.#boots}`,
      app_version: '1.0.0',
      base_url: '',
    };
    Object.assign(ports, typeof changes === 'function' ? changes(ports, life) : changes);
    return { sync: new Sync(ports), life };
  }

  #renew(): boolean {
    if (!this.canRenew || this.session === null) return false;
    this.signIn(this.session.person_id);
    return true;
  }
}

function sha256(bytes: ArrayBuffer): ArrayBuffer {
  return Uint8Array.from(createHash('sha256').update(new Uint8Array(bytes)).digest()).buffer;
}
