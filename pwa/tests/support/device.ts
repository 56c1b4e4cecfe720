/** A phone on the model's network: time, storage, sessions, and a life after another. */

import { createHash } from 'node:crypto';

import { IDBFactory as Storage } from 'fake-indexeddb';
import { wrap, type IDBPDatabase } from 'idb';

import type { Ports, Session, ShutOut, StorageGauge } from '../../src/shared/sync/ports';
import { Copy, WHOLE } from '../../src/shared/sync/copy';
import { Database, type Change } from '../../src/shared/sync/database';
import { DATABASE_NAME, type Entry } from '../../src/shared/sync/schema';
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
  storage: IDBFactory = new Storage();
  /** The other files, in which the second copy lies. */
  bucket = new Bucket();
  readonly locks = new SharedLocks();
  readonly server: ModelServer;
  /** The way to the model of the server. */
  readonly way: Way = {
    pass: (ms) => void (this.elapsed += ms),
    deliver: (request) => Promise.resolve(this.server.handle(request)),
    breakOff: () => Promise.resolve(),
    endTokens: () => this.server.tokens.clear(),
  };
  /** Pages that have given up the copy: while one of them lives there is none. */
  readonly #without = new Set<Life>();
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
      copies: Promise.resolve(this.#copyOf(life)),
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

  /** The browser takes the first files for damaged, and begins with empty ones. */
  loseStorage(): void {
    this.storage = new Storage();
  }

  loseBucket(): void {
    this.bucket.delete();
    this.bucket = new Bucket();
  }

  bucketIsEmpty(): boolean {
    return this.bucket.isEmpty;
  }

  /**
   * Whether the first files may be lost: the copy has all, but for the last that nobody was told of.
   *
   * What another page has sent of such a one may lack its pictures until the next start.
   */
  async mayLoseStorage(): Promise<boolean> {
    const { missing, last } = await this.#lacks();
    return missing.every((number) => number > last);
  }

  /** Whether the copy has all, also what nobody was told of before a start has shown it. */
  async hasWholeCopy(): Promise<boolean> {
    return (await this.#lacks()).missing.length === 0;
  }

  /** Tell the numbers that the copy lacks, and the last it has; a copy that is not whole lacks all. */
  async #lacks(): Promise<{ missing: number[]; last: number }> {
    const [here, there] = [await rowsOf(this.storage), await rowsOf(this.bucket.storage)];
    const shown = here.pictures.every((picture) => there.pictures.includes(picture));
    if (!there.whole || !shown) return { missing: [0], last: 0 };
    const missing = here.numbers.filter((number) => !there.numbers.includes(number));
    return { missing, last: Math.max(0, ...there.numbers) };
  }

  #copyOf(life: Life): Copy | null {
    const database = new Database(life.storage(this.bucket.factory()));
    const forget = life.mortal(() => {
      this.#without.add(life);
      return Promise.resolve(this.loseBucket());
    });
    if ([...this.#without].some((page) => !page.dead)) return null;
    const copy = new Copy(database, forget);
    // What fails there is passed over, but by a page that has died there nobody is told anything.
    const take = life.mortal((changes: Change[]) => Copy.prototype.take.call(copy, changes));
    return Object.assign(copy, { take });
  }

  #renew(): boolean {
    if (!this.canRenew || this.session === null) return false;
    this.signIn(this.session.person_id);
    return true;
  }
}

/** A storage bucket: once it is deleted, whoever has it open can do nothing with it. */
class Bucket {
  readonly storage: IDBFactory = new Storage();
  isEmpty = true;
  #deleted = false;

  delete(): void {
    this.#deleted = true;
    this.storage.deleteDatabase(DATABASE_NAME);
  }

  factory(): IDBFactory {
    const open = (name: string, version?: number): IDBOpenDBRequest => {
      if (this.#deleted) throw new DOMException('The bucket is gone.', 'InvalidStateError');
      this.isEmpty = false;
      return this.storage.open(name, version);
    };
    return { open } as unknown as IDBFactory;
  }
}

/** Look into a database past all that the app does when it opens one. */
async function rowsOf(
  factory: IDBFactory,
): Promise<{ numbers: number[]; pictures: string[]; whole: boolean }> {
  if ((await factory.databases()).length === 0) return { numbers: [], pictures: [], whole: false };
  const database = (await wrap(factory.open(DATABASE_NAME))) as unknown as IDBPDatabase;
  const entries = (await database.getAll('entry')) as Entry[];
  const pictures = (await database.getAllKeys('media_bytes')).map(String);
  const whole = (await database.count('meta', WHOLE)) > 0;
  database.close();
  return { pictures, numbers: entries.map((entry) => entry.device_seq), whole };
}

function sha256(bytes: ArrayBuffer): ArrayBuffer {
  return Uint8Array.from(createHash('sha256').update(new Uint8Array(bytes)).digest()).buffer;
}
