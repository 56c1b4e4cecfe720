/**
 * One way to the server, with its own pauses: events, work and pictures do not wait for each other.
 *
 * How it does is stored, so that a phone that restarts all the time does not hammer a server that
 * is down. No answer on a line ever deletes anything.
 */

import { isOver, jitteredWait, LONGEST_RETRY_AFTER_MS, retryAfter } from './backoff';
import type { Database } from './database';
import { request, type Reply } from './http';
import type { Ports, Session } from './ports';

/** A request that takes longer is given up; shorter than a lease, so that no lease outlives it. */
export const REQUEST_TIMEOUT_MS = 90_000;

/** What keeps a line from sending, in one word that a screen can explain. */
export type LineProblem = 'sign_in' | 'forbidden' | 'update' | 'busy' | 'server' | 'no_answer';

interface Health {
  failures: number;
  next_at: number;
  /** The server named the pause itself, so that not even a button cuts it short. */
  asked_by_server: boolean;
  problem: LineProblem | null;
}

const HEALTHY: Health = { failures: 0, next_at: 0, asked_by_server: false, problem: null };

export class Line {
  constructor(
    private readonly ports: Ports,
    private readonly database: Database,
    private readonly name: 'push' | 'pull' | 'media' | 'side',
  ) {}

  /** Return what keeps the line from sending, and until when it pauses (0: it does not). */
  async health(): Promise<{ problem: LineProblem | null; next_at: number }> {
    const { problem, next_at } = await this.#read();
    return { problem, next_at: isOver(next_at, this.#now(), LONGEST_RETRY_AFTER_MS) ? 0 : next_at };
  }

  /** Tell whether a request may go out now; an eager one cuts short what we chose to wait. */
  async isOpen(eager: boolean): Promise<boolean> {
    const health = await this.#read();
    if (isOver(health.next_at, this.#now(), LONGEST_RETRY_AFTER_MS)) return true;
    return eager && !health.asked_by_server;
  }

  /** Ask the server; null when no answer came. A token that ended is renewed once on the way. */
  async ask(session: Session, path: string, init: RequestInit): Promise<Reply | null> {
    const reply = await this.#request(session.token, path, init);
    if (reply?.status !== 401 || !(await this.#renewed(session.token))) return reply;
    const fresh = await this.ports.sessions.current();
    // What is sealed to one person is never sent in the name of another.
    if (fresh === null || fresh.person_id !== session.person_id) return reply;
    return this.#request(fresh.token, path, init);
  }

  /** Send a request that names no session. */
  tell(path: string, init: RequestInit): Promise<Reply | null> {
    return request(this.ports, path, init, REQUEST_TIMEOUT_MS);
  }

  /** Remember that the server answered as it should. */
  async worked(): Promise<void> {
    const { failures, problem } = await this.#read();
    if (failures > 0 || problem !== null) await this.#write(HEALTHY);
  }

  /** Pause after a request that failed as a whole, as long as the server asks or longer each time. */
  async failed(reply: Reply | null): Promise<void> {
    const failures = (await this.#read()).failures + 1;
    const asked = retryAfter(reply?.headers.get('Retry-After') ?? null, this.#now());
    await this.#write({
      failures,
      next_at: this.#now() + (asked ?? jitteredWait(failures, this.ports.random32)),
      asked_by_server: asked !== null,
      problem: problemOf(reply),
    });
  }

  async #renewed(spent: string): Promise<boolean> {
    try {
      return await this.ports.sessions.renew(spent);
    } catch {
      return false;
    }
  }

  #request(token: string, path: string, init: RequestInit): Promise<Reply | null> {
    const given = init.headers as Record<string, string> | undefined;
    return this.tell(path, { ...init, headers: { ...given, Authorization: `Bearer ${token}` } });
  }

  async #read(): Promise<Health> {
    const stored = await this.database.read(['meta'], (transaction) =>
      transaction.objectStore('meta').get(this.#key()),
    );
    return { ...HEALTHY, ...(stored as Partial<Health> | undefined) };
  }

  async #write(health: Health): Promise<void> {
    await this.database.write(['meta'], (transaction) =>
      transaction.objectStore('meta').put(health, this.#key()),
    );
  }

  #key(): string {
    return `line:${this.name}`;
  }

  #now(): number {
    return this.ports.clock.now();
  }
}

/** Name what a failed request says about the line. */
export function problemOf(reply: Reply | null): LineProblem {
  switch (reply?.status) {
    case undefined:
      return 'no_answer';
    case 401:
      return 'sign_in';
    case 403:
      return 'forbidden';
    case 426:
      return 'update';
    case 409:
    case 429:
      return 'busy';
    default:
      return 'server';
  }
}
