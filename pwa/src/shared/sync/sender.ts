/**
 * Brings entries to the server and lets go of those whose receipt came back.
 *
 * What has an unknown fate is asked about before it is sent again. Two batches may be under way at
 * a time, of different lanes.
 */

import type { Leases } from './leases';
import type { DeviceState, DeviceWord } from './device-word';
import type { HealthReport } from './health';
import type { Reply } from './http';
import type { Line } from './line';
import type { Ports, Session, ShutOut } from './ports';
import type { Entry } from './schema';
import type { Surrender } from './surrender';
import type { TrustedTime } from './trusted-time';
import { MAX_EVENT_BYTES, readAnswer, type SyncAnswer, type WireHealth } from './wire';

const BATCHES_AT_ONCE = 2;

/** Small enough to get through between two drops of a bad line. */
const LEAST_BUDGET_BYTES = 8_000;

/** Answers that speak of the content of the request, not of the line, the session or the version. */
const REFUSES_CONTENT = new Set([400, 413, 422]);

/** After these the server has not looked at the events at all, so there is nothing to ask about. */
const NOT_TAKEN = new Set([401, 403, 426, 429]);

export class Sender {
  #budget = MAX_EVENT_BYTES;

  constructor(
    private readonly ports: Ports,
    private readonly leases: Leases,
    private readonly line: Line,
    private readonly time: TrustedTime,
    private readonly word: DeviceWord,
    private readonly surrenders: Surrender,
    private readonly health: HealthReport,
  ) {}

  /**
   * Send all that is due, unless the line pauses; what fails is put back and waits its turn.
   *
   * Returns false when a request has just failed or the server has asked for a pause, so that
   * other requests had better wait too.
   */
  async run(session: Session, eager: boolean): Promise<boolean> {
    if (!(await this.line.isOpen(eager))) return this.line.isOpen(true);
    if (!(await this.#askForReceipts(session))) return false;
    let broken = false;
    const work = async (): Promise<void> => {
      while (!broken) {
        const batch = await this.leases.claim(session.person_id, this.#budget);
        if (batch.length === 0) return;
        if (!(await this.#pushTo(session, batch))) broken = true;
      }
    };
    // The lock is given back after this, so neither may still be under way when the other fails.
    const ends = await Promise.allSettled(Array.from({ length: BATCHES_AT_ONCE }, work));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    // The office waits to see that its word was heard.
    if (!broken && (await this.word.isNews(session.person_id))) {
      broken = !(await this.#pushTo(session, []));
    }
    return !broken;
  }

  /** Tell the office how this phone stands, if it has not heard it for long or waits to hear it. */
  async report(session: Session, eager: boolean): Promise<void> {
    if (!(await this.line.isOpen(eager)) || !(await this.health.isDue(session.person_id))) return;
    await this.#pushTo(session, []);
  }

  /**
   * Hand in all that is due without a session, since the device was shut out.
   *
   * The server answers what it has with the receipt of then, so nothing is asked about before.
   */
  async surrender(who: ShutOut, eager: boolean): Promise<void> {
    if (!(await this.line.isOpen(eager))) return;
    for (;;) {
      const unanswered = await this.leases.unanswered(who.person_id);
      if (unanswered.length === 0) break;
      await this.leases.putBack(unanswered, () => ({ answer_lost: false }));
    }
    for (;;) {
      const batch = await this.leases.claim(who.person_id, this.#budget);
      if (batch.length === 0) return;
      const sent = await this.#push(batch, { device_state: null, health: null }, (body) =>
        this.surrenders.send(who, body),
      );
      if (sent === null) return;
    }
  }

  async #askForReceipts(session: Session): Promise<boolean> {
    for (;;) {
      const entries = await this.leases.unanswered(session.person_id);
      if (entries.length === 0) return true;
      const ids = entries.map((entry) => entry.event_id).join(',');
      const reply = await this.line.ask(session, `/field/sync/receipts?ids=${ids}`, {
        method: 'GET',
      });
      const answer = this.#read(reply);
      if (answer === null) {
        await this.line.failed(reply);
        return false;
      }
      // An index of `unreadable` counts in a push; here it would name the wrong entry.
      await this.leases.settle(entries, { ...answer, unreadable: [] }, 'question');
      await this.line.worked();
    }
  }

  /** Push a batch in a session and hear what the office says; false when the line is to rest. */
  async #pushTo(session: Session, batch: Entry[]): Promise<boolean> {
    const { person_id } = session;
    const told = await this.word.state(person_id);
    const health = await this.health.draw(person_id);
    const answer = await this.#push(batch, { device_state: told, health }, (body) =>
      this.line.ask(session, '/field/sync/push', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body,
      }),
    );
    if (answer === null || answer === 'split') return answer !== null;
    await this.health.told(person_id, health, batch.length === 0);
    const state = answer.device_state;
    if (state !== null) await this.word.hear(person_id, state, told);
    return true;
  }

  /** Send a batch; null when the line is to rest. */
  async #push(
    batch: Entry[],
    said: { device_state: DeviceState | null; health: WireHealth | null },
    send: (body: string) => Promise<Reply | null>,
  ): Promise<SyncAnswer | 'split' | null> {
    const body = JSON.stringify({
      app_version: this.ports.app_version,
      sent_at: new Date(this.ports.clock.now()).toISOString(),
      ...said,
      events: batch.map((entry) => entry.event),
    });
    const reply = await send(body);
    const answer = this.#read(reply);
    if (answer !== null) {
      this.#budget = Math.min(MAX_EVENT_BYTES, this.#budget * 2);
      await this.leases.settle(batch, answer, 'push');
      await this.line.worked();
      return answer;
    }
    if (reply !== null && REFUSES_CONTENT.has(reply.status) && batch.length > 0) {
      await this.leases.split(batch, `refused_${reply.status}`);
      return 'split';
    }
    this.#budget = Math.max(LEAST_BUDGET_BYTES, Math.floor(this.#budget / 2));
    const taken = reply === null || !NOT_TAKEN.has(reply.status);
    await this.leases.putBack(batch, () => ({ answer_lost: taken }));
    await this.line.failed(reply);
    return null;
  }

  #read(reply: Reply | null): SyncAnswer | null {
    if (reply?.status !== 200) return null;
    const answer = readAnswer(reply.body);
    if (answer !== null) this.time.hear(answer.server_time);
    return answer;
  }
}
