/**
 * Keeps captures: once `capture` has returned, the capture is on the disk, whatever comes.
 *
 * The entry, the state that it changes and its pictures are one transaction, so a screen never
 * shows what was not kept. The network is never on this path.
 */

import type { IDBPTransaction } from 'idb';
import { V7Generator } from 'uuidv7';

import { canonicalBytes, hex } from './canonical';
import { changesOf, type Changing } from './changing';
import type { Database } from './database';
import type { Ports, Sign } from './ports';
import {
  SEQUENCE,
  toEntry,
  type Draft,
  type Entry,
  type Media,
  type MediaKind,
  type OutboxSchema,
} from './schema';
import type { TrustedTime } from './trusted-time';
import { MAX_EVENT_BYTES, type Json, type WireEvent } from './wire';

/** How far a clock may fall back before new ids follow it; within it they go on growing. */
const ROLLBACK_ALLOWANCE_MS = 10_000;

/** Another tab may take the next number while this one signs; that ends after a few tries. */
const NUMBER_TRIES = 100;

/** Every store that a capture writes, and that taking it back writes again. */
export const CAPTURE_STORES = [
  'entry',
  'state',
  'media',
  'media_bytes',
  'meta',
  'draft',
  'draft_picture',
] as const;

/** A picture as a capture hands it over. */
export interface Picture {
  kind: MediaKind;
  mime: string;
  bytes: ArrayBuffer;
}

/** What a person has done, as the screen hands it over. */
export interface Capture {
  person_id: string;
  type: string;
  schema: number;
  /** Captures of one lane arrive in their order; a job is a lane. */
  lane: string;
  payload: { [name: string]: Json };
  /** What the screens show of it from now on. */
  changes?: Changing;
  pictures?: Picture[];
  /** The key of the draft that this capture ends; the pictures of it that the payload names are its own. */
  draft?: string;
  /** For so long it is not sent, so that it can be taken back (`undo.ts`). */
  undo_ms?: number;
}

/** A capture that no request could carry. It is a mistake of the caller, nothing was kept. */
export class CaptureTooLarge extends Error {
  override readonly name = 'CaptureTooLarge';
}

type Hashed = Picture & { sha256: string };
/** A transaction over all of them. */
export type Writing = IDBPTransaction<OutboxSchema, (typeof CAPTURE_STORES)[number][], 'readwrite'>;

export class Outbox {
  readonly #ids: V7Generator;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly ports: Ports,
    private readonly database: Database,
    private readonly time: TrustedTime,
  ) {
    this.#ids = new V7Generator({ nextUint32: ports.random32 });
    this.#ids.setRollbackAllowance(ROLLBACK_ALLOWANCE_MS);
  }

  /**
   * Keep a capture with the state it changes; return its event as it will be sent.
   *
   * Raises StorageFull and CaptureTooLarge, and then nothing at all was kept.
   */
  async capture(capture: Capture): Promise<WireEvent> {
    const times = this.time.stamp();
    const captured_ms = this.ports.clock.now();
    const event_id = this.#ids.generateOrResetWithTs(captured_ms).toString();
    const { type, schema, lane, payload } = capture;
    const draft = { event_id, type, schema, lane, ...times, payload: structuredClone(payload) };
    const pictures = await this.#hash(capture.pictures ?? []);
    return this.#inTurn(() => this.#keep(capture, draft, pictures, captured_ms));
  }

  /** Return what the screens show of this person's jobs, by key. */
  async state(person_id: string): Promise<Map<string, Json>> {
    const range = IDBKeyRange.bound([person_id], [person_id, []]);
    const rows = await this.database.read(['state'], (transaction) =>
      transaction.objectStore('state').getAll(range),
    );
    return new Map(rows.map((row) => [row.key, row.value]));
  }

  /** The number is signed, and signing would end a transaction: so first number, then write. */
  async #keep(
    capture: Capture,
    draft: Omit<WireEvent, 'device_seq' | 'sig'>,
    pictures: Hashed[],
    captured_ms: number,
  ): Promise<WireEvent> {
    for (let attempt = 0; attempt < NUMBER_TRIES; attempt += 1) {
      const [last, sign] = await together(
        () => this.#lastNumber(),
        () => this.#keyOf(capture.person_id),
      );
      const device_seq = last + 1;
      const event = await this.#signed({ ...draft, device_seq, sig: null }, sign);
      const entry = toEntry({ person_id: capture.person_id, captured_ms, event });
      if (entry.bytes > MAX_EVENT_BYTES) {
        throw new CaptureTooLarge(`${entry.bytes} bytes fit into no request.`);
      }
      if (await this.#write(entry, capture, pictures)) return event;
    }
    throw new Error('No number is free.');
  }

  /** Without a key the server can judge less, but the capture is kept all the same. */
  async #keyOf(person_id: string): Promise<Sign | null> {
    return this.ports.signer.of(person_id).catch(() => null);
  }

  async #signed(event: WireEvent, sign: Sign | null): Promise<WireEvent> {
    const sig = await sign?.(canonicalBytes(event)).catch(() => null);
    return { ...event, sig: sig ?? null };
  }

  /**
   * Write everything if the number is still free; without a gap, for a gap would hold what follows.
   *
   * A slow phone pays for each answer that it waits for, so what can be asked at once is.
   */
  #write(entry: Entry, capture: Capture, pictures: Hashed[]): Promise<boolean> {
    return this.database.writeNew([...CAPTURE_STORES], async (transaction) => {
      const { person_id, event_id, device_seq } = entry;
      const changes = Object.entries(changesOf(capture, event_id));
      const states = transaction.objectStore('state');
      const [last, ended, before] = await together(
        () => transaction.objectStore('meta').get(SEQUENCE),
        () => readDraft(transaction, entry, capture.draft),
        () =>
          together(
            ...changes.map(
              ([key]) =>
                () =>
                  states.get([person_id, key]),
            ),
          ),
      );
      if (asNumber(last) !== device_seq - 1) return false;
      const held = capture.undo_ms === undefined ? 0 : this.ports.clock.now() + capture.undo_ms;
      const kept: Entry = { ...entry, next_at: held };
      if (held > 0) {
        const was = changes.map(([key], n) => ({ key, before: before[n] ?? null }));
        kept.undo = { until: held, draft: ended.draft, states: was };
      }
      await together<unknown[]>(
        () => transaction.objectStore('meta').put(device_seq, SEQUENCE),
        () => transaction.objectStore('entry').add(kept),
        () => dropDraft(transaction, entry, capture.draft),
        ...changes.map(
          ([key, value]) =>
            () =>
              states.put({ person_id, key, value, event_id }),
        ),
        ...oncePerHash([...pictures, ...ended.taken]).map(
          (picture) => () => keepPicture(transaction, entry, picture, held),
        ),
      );
      return true;
    });
  }

  #lastNumber(): Promise<number> {
    return this.database.read(['meta'], async (transaction) =>
      asNumber(await transaction.objectStore('meta').get(SEQUENCE)),
    );
  }

  async #hash(pictures: Picture[]): Promise<Hashed[]> {
    const hashed: Hashed[] = [];
    // One after the other: a phone with 1 GB has no room for all of them at once.
    for (const { kind, mime, bytes } of pictures) {
      hashed.push({ kind, mime, bytes, sha256: hex(await this.ports.digest(bytes)) });
    }
    return hashed;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

/** Return a draft, and those of its pictures that the payload of the capture names. */
async function readDraft(
  transaction: Writing,
  { person_id, event }: Entry,
  key: string | undefined,
): Promise<{ draft: Draft | null; taken: Hashed[] }> {
  if (key === undefined) return { draft: null, taken: [] };
  const [draft, pictures] = await together(
    () => transaction.objectStore('draft').get([person_id, key]),
    () => transaction.objectStore('draft_picture').getAll(picturesOf(person_id, key)),
  );
  const payload = JSON.stringify(event.payload);
  return {
    draft: draft ?? null,
    taken: pictures.filter(({ sha256 }) => payload.includes(sha256)),
  };
}

/** End a draft. */
async function dropDraft(
  transaction: Writing,
  { person_id }: Entry,
  key: string | undefined,
): Promise<void> {
  if (key === undefined) return;
  await together(
    () => transaction.objectStore('draft').delete([person_id, key]),
    () => transaction.objectStore('draft_picture').delete(picturesOf(person_id, key)),
  );
}

function picturesOf(person_id: string, key: string): IDBKeyRange {
  return IDBKeyRange.bound([person_id, key], [person_id, key, []]);
}

/** The same picture may be shown twice; two writes at once of one row would lose what the first adds. */
function oncePerHash(pictures: Hashed[]): Hashed[] {
  return [...new Map(pictures.map((picture) => [picture.sha256, picture])).values()];
}

/** Keep a picture of a capture, unless its bytes wait here already; not sent before `next_at`. */
async function keepPicture(
  transaction: Writing,
  entry: Entry,
  { sha256, kind, mime, bytes }: Hashed,
  next_at: number,
): Promise<void> {
  const { person_id, event_id } = entry;
  const known = await transaction.objectStore('media').get([person_id, sha256]);
  const event_ids = [...new Set([...(known?.event_ids ?? []), event_id])];
  const fresh = { ...toMedia(entry, { sha256, kind, mime, length: bytes.byteLength }), next_at };
  const waiting = known !== undefined && known.complete_at === 0;
  const row = { ...(waiting ? known : fresh), event_ids, problem: null };
  await together<unknown[]>(
    () => transaction.objectStore('media').put(row),
    () => transaction.objectStore('media_bytes').put({ person_id, sha256, bytes }),
  );
}

/** Ask for all of it at once; one that throws leaves no other's failure unheard. */
function together<T extends unknown[]>(
  ...asks: { [K in keyof T]: () => Promise<T[K]> }
): Promise<T> {
  return Promise.all(asks.map(async (ask: () => Promise<unknown>) => ask())) as Promise<T>;
}

function toMedia(
  entry: Entry,
  picture: Pick<Media, 'sha256' | 'kind' | 'mime' | 'length'>,
): Omit<Media, 'event_ids'> {
  return {
    ...picture,
    person_id: entry.person_id,
    device_seq: entry.device_seq,
    captured_ms: entry.captured_ms,
    offset: 0,
    started: false,
    failures: 0,
    next_at: 0,
    problem: null,
    complete_at: 0,
  };
}

function asNumber(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
