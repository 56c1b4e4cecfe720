/** What a person sees of the sync. Confirmed is what has a receipt, and nothing else. */

import { isOver } from './backoff';
import type { Database } from './database';
import { LEASE_MS } from './leases';
import type { LineProblem } from './line';
import type { Ports } from './ports';
import type { Entry, Media } from './schema';

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

/** What is not done with, without that which stays on the phone for a week to be looked up. */
export type Open = Omit<Status, 'confirmed' | 'pictures_confirmed' | 'problems'>;

/** Count what this person's outbox holds, all at one moment. */
export async function readStatus(
  database: Database,
  clock: Ports['clock'],
  person_id: string,
): Promise<Omit<Status, 'problems'>> {
  const stores = ['entry', 'tombstone', 'quarantine', 'media'] as const;
  const { tombstones, media, ...held } = await database.read([...stores], async (transaction) => ({
    entries: await transaction.objectStore('entry').getAll(),
    tombstones: await transaction.objectStore('tombstone').getAll(),
    quarantined: await transaction.objectStore('quarantine').index('by_person').count(person_id),
    media: await transaction.objectStore('media').getAll(),
  }));
  const pending = media.filter((picture) => picture.complete_at === 0);
  const mine = tombstones.filter((row) => row.person_id === person_id);
  return {
    ...tally({ ...held, pending }, clock.now(), person_id),
    confirmed: mine.filter((row) => row.verdict !== 'rejected').length,
    pictures_confirmed: media.filter(
      (picture) => picture.person_id === person_id && picture.complete_at > 0,
    ).length,
  };
}

/** Count what of it is open, all at one moment. */
export async function readOpen(
  database: Database,
  clock: Ports['clock'],
  person_id: string,
): Promise<Open> {
  const stores = ['entry', 'quarantine', 'media'] as const;
  const held = await database.read([...stores], async (transaction) => ({
    entries: await transaction.objectStore('entry').getAll(),
    quarantined: await transaction.objectStore('quarantine').index('by_person').count(person_id),
    pending: await transaction.objectStore('media').index('by_complete').getAll(0),
  }));
  return tally(held, clock.now(), person_id);
}

function tally(
  all: { entries: Entry[]; quarantined: number; pending: Media[] },
  now: number,
  person_id: string,
): Open {
  const mine = (row: { person_id: string }): boolean => row.person_id === person_id;
  const held = all.entries.filter(mine);
  const pending = all.pending.filter(mine);
  const sending = held.filter((entry) => !isOver(entry.lease_until, now, LEASE_MS));
  const waiting = held.filter((entry) => !sending.includes(entry));
  return {
    waiting: amount(waiting.map((entry) => entry.bytes)),
    sending: amount(sending.map((entry) => entry.bytes)),
    needs_attention: all.quarantined + pending.filter((picture) => picture.problem !== null).length,
    pictures_waiting: { ...amount(pending.map((one) => one.length)), count: pictures(pending) },
    oldest_captured_ms: oldest([...held, ...pending]),
    oldest_at_rest_ms: oldest([...waiting, ...pending]),
  };
}

/** Count pictures as a person does: a preview is the same picture as its photo. */
export function pictures(media: Media[]): number {
  const previews = media.filter(({ kind }) => kind === 'preview').length;
  return Math.max(previews, media.length - previews);
}

function oldest(rows: { captured_ms: number }[]): number | null {
  return rows.length === 0
    ? null
    : rows.map((row) => row.captured_ms).reduce((a, b) => Math.min(a, b));
}

function amount(bytes: number[]): Amount {
  return { count: bytes.length, bytes: bytes.reduce((sum, each) => sum + each, 0) };
}
