/**
 * Tells the office how this phone stands: with every push, and with an empty one where none is due.
 *
 * A report says what stays once its push is through, so what is being sent does not count. When the
 * last of it is in, the office hears that too; but no more often than every few minutes does a
 * push go out for this alone.
 */

import { isOver } from './backoff';
import type { Database } from './database';
import type { Ports, StorageGauge } from './ports';
import { readOpen } from './status';
import type { TrustedTime } from './trusted-time';
import type { WireHealth } from './wire';

export const REPORT_EVERY_MS = 5 * 60_000;

interface Told {
  /** The office knows of something that waits here. */
  waiting: boolean;
  /** Before that no report is due for its own sake. */
  next_at: number;
  /** Before that not even the news that nothing waits any more is. */
  alone_next_at: number;
}

const NEVER: Told = { waiting: false, next_at: 0, alone_next_at: 0 };

const UNKNOWN: StorageGauge = { used: null, quota: null, persisted: null };

export class HealthReport {
  constructor(
    private readonly ports: Pick<Ports, 'clock' | 'gauge'>,
    private readonly database: Database,
    private readonly time: TrustedTime,
  ) {}

  /** Draw up what is to be told now. */
  async draw(person_id: string): Promise<WireHealth> {
    const status = await readOpen(this.database, this.ports.clock, person_id);
    const { used, quota, persisted } = await this.#gauge();
    const oldest = status.oldest_at_rest_ms;
    return {
      entries: status.waiting.count,
      entry_bytes: status.waiting.bytes,
      pictures: status.pictures_waiting.count,
      picture_bytes: status.pictures_waiting.bytes,
      quarantined: status.needs_attention,
      // A clock that was set back meanwhile makes nothing younger than now.
      oldest_age_ms: oldest === null ? null : Math.max(0, this.ports.clock.now() - oldest),
      storage_used: used,
      storage_quota: quota,
      storage_persisted: persisted,
      clock_offset_ms: this.time.offset(),
    };
  }

  /** Remember that the office has heard a report; `alone`: its push had brought nothing else. */
  async told(person_id: string, health: WireHealth, alone: boolean): Promise<void> {
    const before = await this.#read(person_id);
    const next_at = this.ports.clock.now() + REPORT_EVERY_MS;
    const told: Told = {
      waiting: health.entries + health.pictures + health.quarantined > 0,
      next_at,
      alone_next_at: alone ? next_at : before.alone_next_at,
    };
    await this.database.write(['meta'], (transaction) =>
      transaction.objectStore('meta').put(told, key(person_id)),
    );
  }

  /** Tell whether a push should go out for the report alone. */
  async isDue(person_id: string): Promise<boolean> {
    const { next_at } = await this.#read(person_id);
    return this.#left(next_at) === 0 || (await this.untilNews(person_id)) === 0;
  }

  /** Return after how many ms the office is to hear that nothing waits any more; null: it knows. */
  async untilNews(person_id: string): Promise<number | null> {
    const { waiting, alone_next_at } = await this.#read(person_id);
    if (!waiting) return null;
    const status = await readOpen(this.database, this.ports.clock, person_id);
    const { waiting: held, sending, pictures_waiting, needs_attention } = status;
    const left = held.count + sending.count + pictures_waiting.count + needs_attention;
    return left > 0 ? null : this.#left(alone_next_at);
  }

  /** A browser that cannot say how full it is sends all the same. */
  async #gauge(): Promise<StorageGauge> {
    try {
      return await this.ports.gauge();
    } catch {
      return UNKNOWN;
    }
  }

  async #read(person_id: string): Promise<Told> {
    const stored = await this.database.read(['meta'], (transaction) =>
      transaction.objectStore('meta').get(key(person_id)),
    );
    return (stored as Told | undefined) ?? NEVER;
  }

  #left(moment: number): number {
    const now = this.ports.clock.now();
    return isOver(moment, now, REPORT_EVERY_MS) ? 0 : moment - now;
  }
}

function key(person_id: string): string {
  return `health:${person_id}`;
}
