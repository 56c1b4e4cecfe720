/**
 * All that outbox and sync take from the outside world.
 *
 * A browser gives its own; a simulation gives a network that loses answers, a clock that jumps and
 * a storage that is killed between any two steps.
 */

import type { Copies } from './database';

/** Whose session sends now. Captures of another person are neither read nor sent by it. */
export interface Session {
  person_id: string;
  token: string;
}

/** Whose device was shut out for good: what it holds may only be surrendered. */
export interface ShutOut {
  person_id: string;
  device_id: string;
}

/** Where the sender gets a session, and a fresh one when the server no longer takes it. */
export interface Sessions {
  current(): Promise<Session | null>;
  /** Get a new token in place of the spent one, for the same person; false when that is not possible. */
  renew(spent: string): Promise<boolean>;
  /** Tell whether the server has shut out the device of whoever works here; null when it has not. */
  shutOut(): Promise<ShutOut | null>;
  /** End the session as the office has asked, and forget what the screens show; may be tried again. */
  signOut(session: Session): Promise<void>;
}

/** Signs bytes; the signature as base64url. */
export type Sign = (bytes: Uint8Array<ArrayBuffer>) => Promise<string>;

/** Signs with the key that is this person's here. A capture never fails for want of it. */
export interface Signer {
  /** Find the key of a person; null when nobody has enrolled them here. */
  of(person_id: string): Promise<Sign | null>;
}

export interface Clock {
  /** Wall time in ms since 1970, as the phone has it: it may be days off and may jump. */
  now(): number;
  /** Milliseconds that only ever grow within one life of the page or worker. */
  mono(): number;
}

export interface Timers {
  /** Call back once after that many ms; what is returned takes it back. */
  after(ms: number, callback: () => void): () => void;
}

/**
 * The part of Web Locks that is needed; the browser frees a lock when its holder dies.
 *
 * With `ifAvailable` a lock that is held gives null at once, without it the work waits for its turn.
 */
export interface Locks {
  /** Whether a lock holds for all pages and the worker, so that who has it knows the others are dead. */
  readonly across_pages: boolean;
  request<T>(
    name: string,
    options: { ifAvailable: boolean },
    work: (lock: unknown) => Promise<T>,
  ): Promise<T>;
}

/** How full the phone is; null for what the browser does not say. */
export interface StorageGauge {
  used: number | null;
  quota: number | null;
  /** Whether the browser has promised to keep what is here when room is short. */
  persisted: boolean | null;
}

/** The hash that names the bytes of a picture. */
export type Digest = (bytes: ArrayBuffer) => Promise<ArrayBuffer>;

export interface Ports {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  indexedDB: IDBFactory;
  /** What only this phone has, once more; null where the browser keeps all in the same files. */
  copies: Promise<Copies | null>;
  clock: Clock;
  timers: Timers;
  locks: Locks;
  digest: Digest;
  gauge: () => Promise<StorageGauge>;
  /** 32 random bits as a whole number, good enough for ids that must never meet. */
  random32: () => number;
  signer: Signer;
  sessions: Sessions;
  /** The id of this life of page or worker; monotonic times of two boots cannot be compared. */
  boot: string;
  app_version: string;
  /** What goes before `/field/sync/push`; empty where page and server have one origin. */
  base_url: string;
}
