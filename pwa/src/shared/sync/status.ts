/** What a person sees of the sync. Confirmed is what has a receipt, and nothing else. */

import { isOver } from './backoff';
import type { Database } from './database';
import { LEASE_MS } from './leases';
import type { LineProblem } from './line';
import type { Ports } from './ports';

export interface Amount {
  count: number;
  bytes: number;
}

/** What a screen explains: why a line rests, or that the phone has no room for its work. */
export type Problem = LineProblem | 'no_room';

export interface Status {
  waiting: Amount;
  sending: Amount;
  /** Of the last seven days. */
  confirmed: number;
  /** Captures in quarantine and pictures that do not go through as they are. */
  needs_attention: number;
  pictures_waiting: Amount;
  pictures_confirmed: number;
  /** When the oldest of all that waits was captured; null when nothing does. */
  oldest_captured_ms: number | null;
  /** The same without what is being sent right now. */
  oldest_at_rest_ms: number | null;
  /** What keeps events or pictures from being sent, or the work from being brought up to date. */
  problems: Problem[];
}

/** Count what this person's outbox holds, all at one moment. */
export async function readStatus(
  database: Database,
  clock: Ports['clock'],
  person_id: string,
): Promise<Omit<Status, 'problems'>> {
  const stores = ['entry', 'tombstone', 'quarantine', 'media'] as const;
  const read = await database.read([...stores], async (transaction) => ({
    entries: await transaction.objectStore('entry').getAll(),
    tombstones: await transaction.objectStore('tombstone').getAll(),
    quarantine: await transaction.objectStore('quarantine').getAll(),
    media: await transaction.objectStore('media').getAll(),
  }));
  const { entries, tombstones, quarantine, media } = read;
  const mine = (row: { person_id: string }): boolean => row.person_id === person_id;
  const now = clock.now();
  const held = entries.filter(mine);
  const sending = held.filter((entry) => !isOver(entry.lease_until, now, LEASE_MS));
  const pictures = media.filter(mine);
  const pending = pictures.filter((picture) => picture.complete_at === 0);
  const waiting = held.filter((entry) => !sending.includes(entry));
  return {
    waiting: amount(waiting.map((entry) => entry.bytes)),
    sending: amount(sending.map((entry) => entry.bytes)),
    confirmed: tombstones.filter((row) => mine(row) && row.verdict !== 'rejected').length,
    needs_attention:
      quarantine.filter(mine).length + pending.filter((picture) => picture.problem !== null).length,
    pictures_waiting: amount(pending.map((picture) => picture.length)),
    pictures_confirmed: pictures.length - pending.length,
    oldest_captured_ms: oldest([...held, ...pending]),
    oldest_at_rest_ms: oldest([...waiting, ...pending]),
  };
}

function oldest(rows: { captured_ms: number }[]): number | null {
  return rows.length === 0
    ? null
    : rows.map((row) => row.captured_ms).reduce((a, b) => Math.min(a, b));
}

function amount(bytes: number[]): Amount {
  return { count: bytes.length, bytes: bytes.reduce((sum, each) => sum + each, 0) };
}
