/**
 * All that outbox and sync take from the outside world.
 *
 * A browser gives its own; a simulation gives a network that loses answers, a clock that jumps and
 * a storage that is killed between any two steps.
 */

/** Whose session sends now. Captures of another person are neither read nor sent by it. */
export interface Session {
  person_id: string;
  token: string;
}

/** Where the sender gets a session, and a fresh one when the server no longer takes it. */
export interface Sessions {
  current(): Promise<Session | null>;
  /** Get a new token for the same person; false when a person must sign in. */
  renew(): Promise<boolean>;
}

/** Signs captures with the key of this device; null when there is none. A capture never waits for it. */
export interface Signer {
  sign(bytes: Uint8Array<ArrayBuffer>): Promise<string | null>;
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

/** The part of Web Locks that is needed; the browser frees a lock when its holder dies. */
export interface Locks {
  request<T>(
    name: string,
    options: { ifAvailable: true },
    work: (lock: unknown) => Promise<T>,
  ): Promise<T>;
}

/** The hash that names the bytes of a picture. */
export type Digest = (bytes: ArrayBuffer) => Promise<ArrayBuffer>;

export interface Ports {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  indexedDB: IDBFactory;
  clock: Clock;
  timers: Timers;
  locks: Locks;
  digest: Digest;
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
