/**
 * Brings pictures to the server in a lane of their own: all previews first, then the photos.
 *
 * The server says from which byte to go on, so a broken line costs one chunk. The bytes are let go
 * only when the server has said that it verified them. They go in a session, or without one by the
 * way of a phone that was shut out (`surrender.ts`).
 */

import { isOver, jitteredWait, LONGEST_RETRY_AFTER_MS } from './backoff';
import { StorageFull, type Database } from './database';
import type { Reply } from './http';
import type { Line } from './line';
import { TOMBSTONE_MS } from './leases';
import type { Ports, Session } from './ports';
import type { Media } from './schema';

export const CHUNK_BYTES = 32 * 1024;

/** So often may the hash disagree before the bytes on this phone are taken to be damaged. */
const HASH_TRIES = 3;

/** Answers in a row that bring an upload no further before it rests. */
const STANDSTILLS = 3;

/** Uploads that the server will never take as they are. */
const NEVER_TAKEN = new Set([400, 413, 415]);

/** How one person's pictures reach the server; null where no answer came. */
export interface Way {
  person_id: string;
  /** Ask from which byte to go on. */
  ask(sha256: string): Promise<Reply | null>;
  /** Send the bytes that begin `at`, of `length` in all. */
  send(sha256: string, chunk: ArrayBuffer, at: number, length: number): Promise<Reply | null>;
}

type Step = 'further' | 'complete' | 'rest' | 'line_rests';

export class MediaLane {
  constructor(
    private readonly ports: Ports,
    private readonly database: Database,
    private readonly line: Line,
  ) {}

  /**
   * Upload what is due, one picture after the other; stop between two chunks when told to yield.
   *
   * An eager run tries those again that need a person.
   */
  async run(way: Way, eager: boolean, mustYield: () => boolean): Promise<void> {
    if (!(await this.line.isOpen(eager))) return;
    for (const { sha256 } of await this.waiting(way.person_id)) {
      if (mustYield()) return;
      // Another page may have been at it meanwhile.
      const due = await this.#read(way.person_id, sha256);
      if (due === undefined || !this.#isDue(due, eager)) continue;
      if (!(await this.#upload(way, due, mustYield))) return;
    }
  }

  /** Return the way of somebody who has a session. */
  inSession(session: Session): Way {
    return {
      person_id: session.person_id,
      ask: (sha256) => this.line.ask(session, `/uploads/${sha256}`, { method: 'HEAD' }),
      send: (sha256, chunk, at, length) =>
        this.line.ask(session, `/uploads/${sha256}`, {
          method: 'PATCH',
          headers: chunkHeaders(at, length),
          body: chunk,
        }),
    };
  }

  /** Return this person's pictures that are not with the server yet, in the order of sending. */
  async waiting(person_id: string): Promise<Media[]> {
    const rows = await this.database.read(['media'], (transaction) =>
      transaction.objectStore('media').index('by_complete').getAll(0),
    );
    return rows
      .filter((row) => row.person_id === person_id)
      .toSorted((left, right) => rank(left) - rank(right));
  }

  /** Forget pictures that were complete a week ago. */
  async sweep(): Promise<void> {
    const over = this.ports.clock.now() - TOMBSTONE_MS;
    // A clock at its very beginning leaves nothing to look for.
    if (over <= 0) return;
    await this.database.write(['media'], async (transaction) => {
      const done = IDBKeyRange.bound(0, over, true, true);
      const media = transaction.objectStore('media');
      for (const key of await media.index('by_complete').getAllKeys(done)) await media.delete(key);
    });
  }

  #isDue(media: Media, eager: boolean): boolean {
    if (media.complete_at > 0) return false;
    if (media.problem !== null) return eager;
    return isOver(media.next_at, this.ports.clock.now(), LONGEST_RETRY_AFTER_MS);
  }

  /** Bring one picture as far as it goes; false when the line is to rest. */
  async #upload(way: Way, media: Media, mustYield: () => boolean): Promise<boolean> {
    const bytes = await this.#bytes(media);
    if (bytes === null) {
      await this.#change(media, { problem: 'bytes_missing' });
      return true;
    }
    let at = media.offset;
    let standstills = 0;
    let asks = media.started;
    if (!asks) await this.#change(media, { started: true });
    for (;;) {
      const reply = await (asks
        ? way.ask(media.sha256)
        : way.send(media.sha256, bytes.slice(at, at + CHUNK_BYTES), at, bytes.byteLength));
      const step = await this.#judge(media, reply);
      if (step === 'complete' || step === 'rest') return true;
      if (step === 'line_rests') return false;
      const next = offsetOf(reply);
      standstills = next > at || asks ? 0 : standstills + 1;
      if (standstills >= STANDSTILLS || next >= bytes.byteLength) {
        // All bytes are there but not verified yet, or it goes round in circles: ask again later.
        await this.#pause(media, { offset: Math.min(next, bytes.byteLength) });
        return true;
      }
      at = next;
      asks = false;
      await this.#remember(media, at);
      if (mustYield()) return true;
    }
  }

  async #judge(media: Media, reply: Reply | null): Promise<Step> {
    const answered = reply !== null && (isSuccess(reply) || reply.status === 409);
    if (answered && reply.headers.get('Upload-Complete') === '?1') {
      await this.#complete(media);
      await this.line.worked();
      return 'complete';
    }
    if (answered && offsetOf(reply) >= 0) {
      await this.line.worked();
      return 'further';
    }
    if (reply?.status === 422) {
      const damaged = media.failures + 1 >= HASH_TRIES;
      await this.#pause(media, { offset: 0, problem: damaged ? 'hash_disagrees' : null });
      return 'rest';
    }
    if (reply?.status === 404) {
      // Whoever has no session may bring only what a capture names that the server has: later, then.
      await this.#pause(media, {});
      return 'rest';
    }
    if (reply !== null && NEVER_TAKEN.has(reply.status)) {
      await this.#pause(media, { problem: `refused_${reply.status}` });
      return 'rest';
    }
    await this.line.failed(reply);
    return 'line_rests';
  }

  #complete(media: Media): Promise<void> {
    const key = keyOf(media);
    return this.database.write(['media', 'media_bytes'], async (transaction) => {
      const row = await transaction.objectStore('media').get(key);
      await transaction.objectStore('media_bytes').delete(key);
      if (row === undefined) return;
      const complete_at = this.ports.clock.now();
      await transaction.objectStore('media').put({ ...row, complete_at, problem: null });
    });
  }

  async #pause(media: Media, change: Partial<Media>): Promise<void> {
    const failures = media.failures + 1;
    const next_at = this.ports.clock.now() + jitteredWait(failures, this.ports.random32);
    await this.#change(media, { failures, next_at, ...change });
  }

  /** The offset is a hint that saves a question, so a full phone may go without it. */
  async #remember(media: Media, offset: number): Promise<void> {
    try {
      await this.#change(media, { offset });
    } catch (failure) {
      if (!(failure instanceof StorageFull)) throw failure;
    }
  }

  #change(media: Media, change: Partial<Media>): Promise<void> {
    return this.database.write(['media'], async (transaction) => {
      const row = await transaction.objectStore('media').get(keyOf(media));
      if (row !== undefined) await transaction.objectStore('media').put({ ...row, ...change });
    });
  }

  #read(person_id: string, sha256: string): Promise<Media | undefined> {
    return this.database.read(['media'], (transaction) =>
      transaction.objectStore('media').get([person_id, sha256]),
    );
  }

  async #bytes(media: Media): Promise<ArrayBuffer | null> {
    const row = await this.database.read(['media_bytes'], (transaction) =>
      transaction.objectStore('media_bytes').get(keyOf(media)),
    );
    return row?.bytes ?? null;
  }
}

/** Return what a chunk says of itself. */
export function chunkHeaders(at: number, length: number): Record<string, string> {
  return {
    'Content-Type': 'application/offset+octet-stream',
    'Upload-Offset': String(at),
    'Upload-Length': String(length),
  };
}

function keyOf(media: Media): [string, string] {
  return [media.person_id, media.sha256];
}

function rank(media: Media): number {
  return media.device_seq + (media.kind === 'preview' ? 0 : Number.MAX_SAFE_INTEGER / 2);
}

function isSuccess(reply: Reply): boolean {
  return reply.status >= 200 && reply.status < 300;
}

/** Return where the server wants to go on, -1 when it does not say. */
function offsetOf(reply: Reply | null): number {
  const text = reply?.headers.get('Upload-Offset') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : -1;
}
