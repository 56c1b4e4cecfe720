/**
 * Takes the last capture back, for the few seconds in which it is held and nobody has sent it.
 *
 * What it has changed on this phone stands again as it did, and what was filled in is a draft again.
 * Only the last number of the device can go: one in the middle would leave a gap. What was sent is
 * never taken back; another capture says what is different.
 */

import type { Database } from './database';
import { CAPTURE_STORES, type Writing } from './outbox';
import type { Ports } from './ports';
import { SEQUENCE, type Draft, type Entry } from './schema';

export const UNDO_MS = 10_000;

/** A capture that may still be taken back. */
export interface Undoable {
  event_id: string;
  type: string;
  lane: string;
  until: number;
}

export class Undo {
  constructor(
    private readonly clock: Ports['clock'],
    private readonly database: Database,
  ) {}

  /** Return this person's last capture while it may be taken back, else null. */
  async pending(person_id: string): Promise<Undoable | null> {
    const [entry, last] = await this.database.read(['entry', 'meta'], async (transaction) => {
      const rows = transaction.objectStore('entry').index('by_seq');
      const row = await rows.openCursor(null, 'prev');
      return [row?.value, await transaction.objectStore('meta').get(SEQUENCE)] as const;
    });
    if (entry === undefined || entry.person_id !== person_id) return null;
    if (!this.#mayGo(entry, last)) return null;
    const { event_id, lane, event, undo } = entry;
    return { event_id, lane, type: event.type, until: undo?.until ?? 0 };
  }

  /** Take a capture back; false when it is too late, and then nothing has changed. */
  take(event_id: string): Promise<boolean> {
    return this.database.write([...CAPTURE_STORES], async (transaction) => {
      const entry = await transaction.objectStore('entry').get(event_id);
      const meta = transaction.objectStore('meta');
      if (entry === undefined || !this.#mayGo(entry, await meta.get(SEQUENCE))) return false;
      await transaction.objectStore('entry').delete(event_id);
      await meta.put(entry.device_seq - 1, SEQUENCE);
      const states = transaction.objectStore('state');
      for (const { key, before } of entry.undo?.states ?? []) {
        await (before === null ? states.delete([entry.person_id, key]) : states.put(before));
      }
      const draft = entry.undo?.draft ?? null;
      if (draft !== null) await transaction.objectStore('draft').put(draft);
      await returnPictures(transaction, entry, draft);
      return true;
    });
  }

  #mayGo(entry: Entry, last: unknown): boolean {
    const { undo, attempts, device_seq } = entry;
    if (undo === undefined || attempts > 0 || device_seq !== last) return false;
    return undo.until > this.clock.now() && undo.until - this.clock.now() <= UNDO_MS;
  }
}

/** Give the pictures that no other capture names back to the draft. */
async function returnPictures(
  transaction: Writing,
  { person_id, event_id }: Entry,
  draft: Draft | null,
): Promise<void> {
  const media = transaction.objectStore('media');
  const store = transaction.objectStore('media_bytes');
  for (const row of await media.index('by_complete').getAll(0)) {
    if (row.person_id !== person_id || !row.event_ids.includes(event_id)) continue;
    const { sha256, kind, mime } = row;
    const kept = await store.get([person_id, sha256]);
    if (draft !== null && kept !== undefined) {
      const picture = { person_id, key: draft.key, sha256, kind, mime, bytes: kept.bytes };
      await transaction.objectStore('draft_picture').put(picture);
    }
    const others = row.event_ids.filter((one) => one !== event_id);
    if (others.length > 0) await media.put({ ...row, event_ids: others });
    else {
      await media.delete([person_id, sha256]);
      await store.delete([person_id, sha256]);
    }
  }
}
