/**
 * The database of outbox and work. Its schema only grows: a step that was released is never edited.
 *
 * It is no part of any version of the app, so an update finds a full outbox as it was left.
 */

import type { DBSchema, IDBPDatabase, IDBPTransaction, StoreNames } from 'idb';

import { MAX_EVENTS, type Json, type Receipt, type WireDocument, type WireEvent } from './wire';

export const DATABASE_NAME = 'doorstep-outbox';

/** A capture that no receipt has been seen for. `event` never changes, the rest is about sending. */
export interface Entry {
  event_id: string;
  person_id: string;
  lane: string;
  device_seq: number;
  /** Of the event as JSON in UTF-8. */
  bytes: number;
  captured_ms: number;
  event: WireEvent;
  attempts: number;
  /** Until when a sender has it in hand; 0 when none has. */
  lease_until: number;
  /** Before that it is not sent again; 0 when it may be. */
  next_at: number;
  /** It was sent and nobody knows whether it arrived: ask for its receipt before sending again. */
  answer_lost: boolean;
  /** In how large a batch it may go; smaller after a batch with it was refused as a whole. */
  batch_max: number;
  /** How often it was refused when it was sent alone. */
  refused: number;
  /** What it takes to take it back, while it is held for that; absent where it cannot be. */
  undo?: UndoRecord;
}

/** How things stood before a capture that may be taken back for a few seconds. */
export interface UndoRecord {
  until: number;
  draft: Draft | null;
  states: { key: string; before: LocalState | null }[];
}

/** What somebody has filled in so far, and has not captured yet. */
export interface Draft {
  person_id: string;
  key: string;
  value: Json;
}

/** A picture that was taken for a draft; with the capture it becomes `media`. */
export interface DraftPicture {
  person_id: string;
  key: string;
  sha256: string;
  kind: MediaKind;
  mime: string;
  bytes: ArrayBuffer;
}

/** A receipt that was seen, kept for a week so that people can look it up. */
export interface Tombstone extends Receipt {
  person_id: string;
  type: string;
  lane: string;
  captured_ms: number;
  kept_until: number;
}

/** A capture that will not go through as it is; a person sees it and why. */
export interface Quarantined {
  event_id: string;
  person_id: string;
  lane: string;
  event: WireEvent;
  captured_ms: number;
  reason: string;
  /** Null when the server refused the very request, so that only this phone has it. */
  receipt: Receipt | null;
  quarantined_at: number;
}

/** What a screen shows of a job before the server has answered. */
export interface LocalState {
  person_id: string;
  key: string;
  value: Json;
  event_id: string;
  /** The server's documents know of it: they were asked for after its receipt had come. */
  in_documents?: boolean;
}

/** A part of a person's work as the server had it at the last pull. Captures never change it. */
export interface StoredDocument extends WireDocument {
  person_id: string;
}

/** How far a person's documents are: the cursor of the answer that they come from. */
export interface PullState {
  person_id: string;
  cursor: string;
  pulled_ms: number;
}

export type MediaKind = 'preview' | 'photo';

/** A picture that a capture names; its bytes lie in `media_bytes` until the server has them. */
export interface Media {
  person_id: string;
  sha256: string;
  kind: MediaKind;
  mime: string;
  length: number;
  event_ids: string[];
  device_seq: number;
  captured_ms: number;
  /** How far the server said it is; only a hint, the server decides. */
  offset: number;
  started: boolean;
  failures: number;
  next_at: number;
  /** Why it needs a person; null while all is well. */
  problem: string | null;
  /** When the server said that the bytes are verified; 0 before that. */
  complete_at: number;
}

/** Safari loses blobs in IndexedDB, so pictures are plain bytes. */
export interface MediaBytes {
  person_id: string;
  sha256: string;
  bytes: ArrayBuffer;
}

/** Somebody who was enrolled on this phone; the tokens are null when a sign-in is needed. */
export interface StoredSession {
  person_id: string;
  device_id: string;
  access_token: string | null;
  refresh_token: string | null;
  state: 'signed_in' | 'needs_sign_in' | 'locked' | 'revoked' | 'signed_out';
}

export interface OutboxSchema extends DBSchema {
  entry: { key: string; value: Entry; indexes: { by_seq: number } };
  tombstone: { key: string; value: Tombstone; indexes: { by_kept_until: number } };
  quarantine: { key: string; value: Quarantined; indexes: { by_person: string } };
  state: { key: [string, string]; value: LocalState };
  media: { key: [string, string]; value: Media; indexes: { by_complete: number } };
  media_bytes: { key: [string, string]; value: MediaBytes };
  session: { key: string; value: StoredSession };
  /** Small things by name: the last device sequence, the keys of people, how each line does. */
  meta: { key: string; value: unknown };
  document: { key: [string, string, string]; value: StoredDocument };
  pull: { key: string; value: PullState };
  draft: { key: [string, string]; value: Draft };
  draft_picture: { key: [string, string, string]; value: DraftPicture };
}

export type Upgrade = IDBPTransaction<OutboxSchema, StoreNames<OutboxSchema>[], 'versionchange'>;
type Step = (database: IDBPDatabase<OutboxSchema>, upgrade: Upgrade) => void;

/** The name under which the room of the sync lies in `meta` (`reserve.ts`). */
export const RESERVE = 'reserve';

/** The name under which the last number of this device lies in `meta`. */
export const SEQUENCE = 'device_seq';

/** The name under which a database that was just made says so in `meta`, until it has what the copy has. */
export const NEW = 'new';

/** Step n brings the database from version n to n + 1. Append only. */
export const STEPS: readonly Step[] = [
  (database) => {
    database
      .createObjectStore('entry', { keyPath: 'event_id' })
      .createIndex('by_seq', 'device_seq');
    database
      .createObjectStore('tombstone', { keyPath: 'event_id' })
      .createIndex('by_kept_until', 'kept_until');
    database.createObjectStore('quarantine', { keyPath: 'event_id' });
    database.createObjectStore('state', { keyPath: ['person_id', 'key'] });
    database.createObjectStore('media', { keyPath: ['person_id', 'sha256'] });
    database.createObjectStore('media_bytes', { keyPath: ['person_id', 'sha256'] });
    database.createObjectStore('meta');
  },
  (database) => {
    database.createObjectStore('session', { keyPath: 'person_id' });
  },
  (database) => {
    database.createObjectStore('document', { keyPath: ['person_id', 'kind', 'id'] });
    database.createObjectStore('pull', { keyPath: 'person_id' });
  },
  // What is done stays for a week, and must not be read again for each picture and each push.
  (_database, upgrade) => {
    upgrade.objectStore('media').createIndex('by_complete', 'complete_at');
    upgrade.objectStore('quarantine').createIndex('by_person', 'person_id');
  },
  (database) => {
    database.createObjectStore('draft', { keyPath: ['person_id', 'key'] });
    database.createObjectStore('draft_picture', { keyPath: ['person_id', 'key', 'sha256'] });
  },
];

/** Return the entry of a capture that nobody has tried to send. */
export function toEntry(capture: Pick<Entry, 'person_id' | 'captured_ms' | 'event'>): Entry {
  const { person_id, captured_ms, event } = capture;
  const { event_id, lane, device_seq } = event;
  const bytes = new TextEncoder().encode(JSON.stringify(event)).length;
  const sending = { attempts: 0, lease_until: 0, next_at: 0, answer_lost: false, refused: 0 };
  const entry = { event_id, person_id, lane, device_seq, bytes, captured_ms, event };
  return { ...entry, ...sending, batch_max: MAX_EVENTS };
}
