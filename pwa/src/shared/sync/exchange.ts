/**
 * Sends what was captured, brings the work to the phone, and tells how both stand.
 *
 * This is all that the service worker needs; who captures has `sync.ts`.
 */

import { isOver, LONGEST_RETRY_AFTER_MS } from './backoff';
import { Database } from './database';
import { DeviceWord, type DeviceState } from './device-word';
import type { Reply } from './http';
import { HealthReport } from './health';
import { Leases, LEASE_MS } from './leases';
import { Line } from './line';
import { exclusively } from './lock';
import { MediaLane } from './media';
import type { Ports, Session } from './ports';
import { Puller, type Work } from './pull';
import { PushAcks, type PushAck } from './push-acks';
import type { Entry } from './schema';
import { fillReserve } from './reserve';
import { Sender } from './sender';
import { Surrender } from './surrender';
import { TIMER_MS } from './triggers';
import { TrustedTime } from './trusted-time';

/** After so long a page that did not get the lock looks whether there is anything left to send. */
const LOOK_AGAIN_MS = 5_000;

/** How a sync is asked for: `eager` cuts short the pauses of our own, `waits` for a page that is at it. */
export interface Asked {
  eager: boolean;
  waits?: boolean;
}

export class Exchange {
  readonly database: Database;
  protected readonly time: TrustedTime;
  readonly #leases: Leases;
  protected readonly lines: { push: Line; pull: Line; media: Line };
  readonly #word: DeviceWord;
  readonly #surrenders: Surrender;
  readonly #health: HealthReport;
  readonly #sender: Sender;
  protected readonly puller: Puller;
  readonly #media: MediaLane;
  readonly #side: Line;
  readonly #acks: PushAcks;
  /** How many captures this page has kept: what is sent goes on with them before any picture. */
  protected captures = 0;

  constructor(protected readonly ports: Ports) {
    this.database = new Database(ports.indexedDB, ports.copies);
    this.time = new TrustedTime(ports.clock, ports.boot);
    this.#leases = new Leases(ports, this.database);
    this.lines = {
      push: new Line(ports, this.database, 'push'),
      pull: new Line(ports, this.database, 'pull'),
      media: new Line(ports, this.database, 'media'),
    };
    this.#word = new DeviceWord(this.database);
    const { push, pull } = this.lines;
    this.#surrenders = new Surrender(ports, push, this.time);
    this.#health = new HealthReport(ports, this.database, this.time);
    this.#sender = new Sender(
      ports,
      this.#leases,
      push,
      this.time,
      this.#word,
      this.#surrenders,
      this.#health,
    );
    this.puller = new Puller(ports, this.database, pull, this.time, this.#word);
    this.#media = new MediaLane(ports, this.database, this.lines.media);
    this.#side = new Line(ports, this.database, 'side');
    this.#acks = new PushAcks(this.database, this.#side);
  }

  /**
   * Send all that is due, then pull; return after how many ms to try again, or null when nothing waits.
   *
   * An `eager` run was asked for because something is better or new now: it takes place even when
   * another page is at it, after that one, unless it says otherwise. Any other leaves it to that page.
   */
  async run({ eager, waits = eager }: Asked): Promise<number | null> {
    const session = await this.ports.sessions.current();
    if (session === null) return this.#surrender(eager, waits);
    const done = await exclusively(this.ports.locks, { waits }, async () => {
      // Whoever had something in hand has died: nobody else can be sending now.
      if (this.ports.locks.across_pages) await this.#leases.takeOver(session.person_id);
      await this.#leases.sweep();
      await this.#media.sweep();
      // Events go before pictures, also those that are captured while a picture is under way.
      for (let seen = -1; seen !== this.captures;) {
        seen = this.captures;
        const captured = (): boolean => this.captures !== seen;
        // What was pushed is in the documents then; where the push just failed, so would the pull.
        if (await this.#sender.run(session, eager)) await this.puller.run(session, eager);
        await this.#media.run(this.#media.inSession(session), eager, captured);
      }
      await this.#acks.run(session, eager);
      await this.#sender.report(session, eager);
      await this.#signOutIfAsked(session);
      return true;
    });
    const wait = await this.#untilNext(session.person_id);
    if (wait === null) await fillReserve(this.database);
    // Another page has the lock and sends; this one looks again whether it did.
    return done === null && wait !== null ? Math.max(wait, LOOK_AGAIN_MS) : wait;
  }

  /** Ask the server something small in the name of whoever works here; null when no answer came. */
  async ask(method: 'GET' | 'PUT' | 'POST', path: string, body?: unknown): Promise<Reply | null> {
    const session = await this.ports.sessions.current();
    if (session === null) return null;
    const headers = { 'Content-Type': 'application/json' };
    const said = body === undefined ? {} : { headers, body: JSON.stringify(body) };
    return this.#side.ask(session, path, { method, ...said });
  }

  /** Keep what became of a notification; the next sync tells the office. */
  acknowledge(person_id: string, ack: PushAck): Promise<void> {
    return this.#acks.add(person_id, ack);
  }

  /** Return what the office has told the device of this person. */
  deviceState(person_id: string): Promise<DeviceState> {
    return this.#word.state(person_id);
  }

  /** Return this person's work: the server's documents, and what they do not know of yet. */
  work(person_id: string): Promise<Work> {
    return this.puller.work(person_id);
  }

  /** By how many ms this phone's clock is ahead of the server's; null before it was heard. */
  clockOffset(): number | null {
    return this.time.offset();
  }

  /** Hand in what a device that was shut out still has, and then the pictures of all it has handed in. */
  async #surrender(eager: boolean, waits: boolean): Promise<number | null> {
    const who = await this.ports.sessions.shutOut();
    if (who === null) return null;
    await exclusively(this.ports.locks, { waits }, async () => {
      await this.#leases.sweep();
      await this.#media.sweep();
      await this.#sender.surrender(who, eager);
      await this.#media.run(this.#surrenders.pictures(who), eager, () => false);
    });
    return (await this.#untilSent(who.person_id)) === null ? null : TIMER_MS;
  }

  /** The office has asked for it: once all is handed in, and not before, this person is signed out. */
  async #signOutIfAsked(session: Session): Promise<void> {
    const { person_id } = session;
    if ((await this.#word.state(person_id)) !== 'draining') return;
    if ((await this.#untilSent(person_id)) !== null) return;
    // A token may have been renewed on the way.
    const current = await this.ports.sessions.current();
    if (current?.person_id === person_id) await this.ports.sessions.signOut(current);
  }

  async #untilNext(person_id: string): Promise<number | null> {
    const { push, pull } = this.lines;
    const waits = [await this.#untilSent(person_id)];
    const { problem, next_at } = await pull.health();
    if (problem !== null) waits.push(this.#left(next_at, LONGEST_RETRY_AFTER_MS));
    // What the push rests for the pull rests for too.
    if (!(await push.isOpen(true))) {
      waits.push(this.#left((await push.health()).next_at, LONGEST_RETRY_AFTER_MS));
    }
    const news = await this.#health.untilNews(person_id);
    if (news !== null) {
      const rests = this.#left((await push.health()).next_at, LONGEST_RETRY_AFTER_MS);
      waits.push(Math.max(news, rests));
    }
    const known = waits.filter((wait) => wait !== null);
    return known.length === 0 ? null : Math.min(...known);
  }

  /** Return after how many ms the next of what is to be sent is due; null when all is sent. */
  async #untilSent(person_id: string): Promise<number | null> {
    const left = this.#left.bind(this);
    const push = left((await this.lines.push.health()).next_at, LONGEST_RETRY_AFTER_MS);
    const media = left((await this.lines.media.health()).next_at, LONGEST_RETRY_AFTER_MS);
    // Only the head of a lane counts: what stands behind it waits with it.
    const heads = new Map<string, Entry>();
    for (const entry of await this.#leases.entries(person_id)) {
      if (!heads.has(entry.lane)) heads.set(entry.lane, entry);
    }
    const entries = [...heads.values()].map((entry) =>
      Math.max(
        push,
        left(entry.lease_until, LEASE_MS),
        left(entry.next_at, LONGEST_RETRY_AFTER_MS),
      ),
    );
    const pictures = (await this.#media.waiting(person_id))
      .filter((picture) => picture.problem === null)
      .map((picture) => Math.max(media, left(picture.next_at, LONGEST_RETRY_AFTER_MS)));
    const waits = [...entries, ...pictures];
    return waits.length === 0 ? null : waits.reduce((a, b) => Math.min(a, b));
  }

  #left(moment: number, longest: number): number {
    const now = this.ports.clock.now();
    return isOver(moment, now, longest) ? 0 : moment - now;
  }
}
