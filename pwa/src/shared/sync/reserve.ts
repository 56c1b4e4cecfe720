/**
 * Room that is kept for the sync itself.
 *
 * What hands in a capture writes a few words first: who has it in hand, the new token. A phone
 * without any room could do neither, so it could never get rid of what fills it. Captures never draw
 * on the reserve; it is given up when something else finds no room, and filled again once nothing waits.
 */

import { StorageFull, type Database } from './database';
import { RESERVE } from './schema';

/**
 * More than the files of the app, 2 MB: Chromium may forget them when it reckons what is left for
 * captures, and then has no room at all for anything before as much is free again (measured).
 */
export const RESERVE_BYTES = 4 << 20;

/** Fill the reserve, unless it is there or the phone has no room for it now. */
export async function fillReserve(database: Database): Promise<void> {
  const there = await database.read(['meta'], (transaction) =>
    transaction.objectStore('meta').count(RESERVE),
  );
  if (there > 0) return;
  try {
    await database.writeNew(['meta'], (transaction) =>
      transaction.objectStore('meta').put(noise(), RESERVE),
    );
  } catch (failure) {
    if (!(failure instanceof StorageFull)) throw failure;
  }
}

/** Make bytes that no store can pack into less. */
function noise(): ArrayBuffer {
  const bytes = new Uint8Array(RESERVE_BYTES);
  // More than this at once is refused (Web Cryptography, getRandomValues).
  for (let at = 0; at < RESERVE_BYTES; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes.buffer;
}
