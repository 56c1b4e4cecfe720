/**
 * Which entries a sender has in hand, and what becomes of them.
 *
 * Nothing leaves the outbox before its receipt is here: an entry in hand is only leased, so a
 * sender that dies leaves it where it was. Within a lane entries go in the order of the captures.
 */

import { isOver, jitteredWait, LONGEST_RETRY_AFTER_MS } from './backoff';
import { StorageFull, type Database } from './database';
import type { Ports } from './ports';
import type { Entry, Quarantined, Tombstone } from './schema';
import { MAX_EVENTS, type Receipt, type SyncAnswer } from './wire';

/** Longer than any request may take, so that a lease that is over has no sender any more. */
export const LEASE_MS = 120_000;

export const TOMBSTONE_MS = 7 * 24 * 60 * 60_000;

/** So often may a capture be refused when it is sent alone before it needs a person. */
export const REFUSALS_ALONE = 3;

const SETTLED_STORES = ['entry', 'tombstone', 'quarantine'] as const;

export class Leases {
  constructor(
    private readonly ports: Pick<Ports, 'clock' | 'random32'>,
    private readonly database: Database,
  ) {}

  /** Take the next batch in hand: heads of lanes that nobody has in hand, up to so many bytes. */
  claim(person_id: string, maxBytes: number): Promise<Entry[]> {
    return this.database.write(['entry'], async (transaction) => {
      const now = this.ports.clock.now();
      const batch: Entry[] = [];
      const blocked = new Set<string>();
      let bytes = 0;
      let most = MAX_EVENTS;
      const entries = transaction.objectStore('entry');
      const rows = entries.index('by_seq');
      for (let row = await rows.openCursor(); row !== null; row = await row.continue()) {
        const entry = row.value;
        if (entry.person_id !== person_id || blocked.has(entry.lane)) continue;
        const room = Math.min(most, entry.batch_max);
        const fits = batch.length === 0 || bytes + entry.bytes + 1 <= maxBytes;
        if (!isDue(entry, now) || !fits || batch.length + 1 > room) {
          // What follows in the lane waits with it: a lane is never overtaken.
          blocked.add(entry.lane);
          if (batch.length >= most) break;
          continue;
        }
        most = room;
        bytes += entry.bytes + 1;
        const leased = { lease_until: now + LEASE_MS, answer_lost: true };
        const claimed: Entry = { ...entry, ...leased, attempts: entry.attempts + 1 };
        await entries.put(claimed);
        batch.push(claimed);
      }
      return batch;
    });
  }

  /** Return entries of which nobody knows whether they arrived, as many as one question may name. */
  async unanswered(person_id: string): Promise<Entry[]> {
    const now = this.ports.clock.now();
    const entries = await this.entries(person_id);
    return entries
      .filter((entry) => entry.answer_lost && isOver(entry.lease_until, now, LEASE_MS))
      .slice(0, MAX_EVENTS);
  }

  /** Take back what a sender that has died had in hand; whether it arrived is asked first. */
  takeOver(person_id: string): Promise<void> {
    return this.database.write(['entry'], async (transaction) => {
      const entries = transaction.objectStore('entry');
      const rows = entries.index('by_seq');
      for (let row = await rows.openCursor(); row !== null; row = await row.continue()) {
        if (row.value.person_id !== person_id || row.value.lease_until === 0) continue;
        await entries.put({ ...row.value, lease_until: 0 });
      }
    });
  }

  /** Return this person's entries in the order of their captures. */
  async entries(person_id: string): Promise<Entry[]> {
    const entries = await this.database.read(['entry'], (transaction) =>
      transaction.objectStore('entry').index('by_seq').getAll(),
    );
    return entries.filter((entry) => entry.person_id === person_id);
  }

  /**
   * Delete what the answer has a receipt for; what is rejected or unreadable goes to quarantine.
   *
   * `sent` is what was asked about, in its order. What the answer is silent about waits for its
   * next turn: after a push with a pause, after a question at once. Returns how many had a receipt.
   */
  async settle(sent: Entry[], answer: SyncAnswer, after: 'push' | 'question'): Promise<number> {
    try {
      return await this.#settle(sent, answer, after, true);
    } catch (failure) {
      if (!(failure instanceof StorageFull)) throw failure;
      // A full phone needs the room of the entries more than the copies of their receipts.
      return this.#settle(sent, answer, after, false);
    }
  }

  /** Put entries back after a request that failed as a whole; none of them has lost anything. */
  putBack(batch: Entry[], change: (entry: Entry) => Partial<Entry>): Promise<void> {
    return this.database.write(['entry'], async (transaction) => {
      const store = transaction.objectStore('entry');
      for (const { event_id } of batch) {
        const entry = await store.get(event_id);
        if (entry !== undefined) await store.put({ ...entry, lease_until: 0, ...change(entry) });
      }
    });
  }

  /** Put back a batch whose very content was refused, in halves; one alone ends in quarantine. */
  async split(batch: Entry[], reason: string): Promise<void> {
    const half = Math.max(1, Math.ceil(batch.length / 2));
    const alone = batch.length === 1;
    await this.putBack(batch, (entry) => ({
      answer_lost: false,
      batch_max: half,
      refused: alone ? entry.refused + 1 : entry.refused,
      next_at: alone ? this.#pause(entry.refused + 1) : 0,
    }));
    const [only] = batch;
    if (!alone || only === undefined || only.refused + 1 < REFUSALS_ALONE) return;
    await this.database.write([...SETTLED_STORES], async (transaction) => {
      const entry = await transaction.objectStore('entry').get(only.event_id);
      if (entry === undefined) return;
      await transaction.objectStore('quarantine').put(this.#quarantined(entry, reason, null));
      await transaction.objectStore('entry').delete(entry.event_id);
    });
  }

  /** Forget receipts that are older than a week. */
  sweep(): Promise<void> {
    return this.database.write(['tombstone'], async (transaction) => {
      const over = IDBKeyRange.upperBound(this.ports.clock.now());
      const rows = transaction.objectStore('tombstone').index('by_kept_until');
      for (let row = await rows.openCursor(over); row !== null; row = await row.continue()) {
        await row.delete();
      }
    });
  }

  #settle(
    sent: Entry[],
    answer: SyncAnswer,
    after: 'push' | 'question',
    copies: boolean,
  ): Promise<number> {
    const receipts = new Map(answer.receipts.map((receipt) => [receipt.event_id, receipt]));
    const unreadable = new Map(answer.unreadable.map((item) => [item.index, item.reason]));
    return this.database.write([...SETTLED_STORES], async (transaction) => {
      const entries = transaction.objectStore('entry');
      let settled = 0;
      for (const [index, { event_id }] of sent.entries()) {
        const entry = await entries.get(event_id);
        if (entry === undefined) continue;
        const receipt = receipts.get(event_id) ?? null;
        const refusal = receipt === null ? unreadable.get(index) : rejection(receipt);
        if (receipt === null && refusal === undefined) {
          const next_at = after === 'push' ? this.#pause(entry.attempts) : 0;
          await entries.put({ ...entry, lease_until: 0, answer_lost: false, next_at });
          continue;
        }
        if (refusal !== undefined) {
          const row = this.#quarantined(entry, refusal, receipt);
          await transaction.objectStore('quarantine').put(row);
        }
        if (receipt !== null && copies) {
          await transaction.objectStore('tombstone').put(this.#tombstone(entry, receipt));
        }
        await entries.delete(event_id);
        settled += 1;
      }
      return settled;
    });
  }

  #pause(failures: number): number {
    return this.ports.clock.now() + jitteredWait(failures, this.ports.random32);
  }

  #tombstone({ person_id, lane, event, captured_ms }: Entry, receipt: Receipt): Tombstone {
    const kept_until = this.ports.clock.now() + TOMBSTONE_MS;
    return { ...receipt, person_id, lane, type: event.type, captured_ms, kept_until };
  }

  #quarantined(entry: Entry, reason: string, receipt: Receipt | null): Quarantined {
    const { event_id, person_id, lane, event, captured_ms } = entry;
    const quarantined_at = this.ports.clock.now();
    return { event_id, person_id, lane, event, captured_ms, reason, receipt, quarantined_at };
  }
}

/** Tell whether an entry may be sent now. */
export function isDue(entry: Entry, now: number): boolean {
  return (
    !entry.answer_lost &&
    isOver(entry.lease_until, now, LEASE_MS) &&
    isOver(entry.next_at, now, LONGEST_RETRY_AFTER_MS)
  );
}

function rejection(receipt: Receipt): string | undefined {
  return receipt.verdict === 'rejected' ? (receipt.reason ?? 'rejected') : undefined;
}
