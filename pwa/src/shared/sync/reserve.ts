/**
 * Room that is kept for the sync itself.
 *
 * What hands in a capture writes a few words first: who has it in hand, the new token. A phone
 * without any room could do neither, so it could never get rid of what fills it. Captures never draw
 * on the reserve; it is given up when something else finds no room, and filled again once nothing waits.
 */

import { StorageFull, type Database } from './database';
import type { Ports } from './ports';
import { RESERVE } from './schema';

export const RESERVE_BYTES = 1 << 20;

/** Fill the reserve, unless it is there or the phone has no room for it now. */
export async function fillReserve(database: Database, random32: Ports['random32']): Promise<void> {
  const there = await database.read(['meta'], (transaction) =>
    transaction.objectStore('meta').count(RESERVE),
  );
  if (there > 0) return;
  const bytes = noise(RESERVE_BYTES, random32());
  try {
    await database.writeNew(['meta'], (transaction) =>
      transaction.objectStore('meta').put(bytes, RESERVE),
    );
  } catch (failure) {
    if (!(failure instanceof StorageFull)) throw failure;
  }
}

/** Make bytes that no store can pack into less (xorshift, Marsaglia 2003). */
function noise(length: number, seed: number): ArrayBuffer {
  const words = new Uint32Array(length / 4);
  let state = seed === 0 ? 1 : seed;
  for (let n = 0; n < words.length; n += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[n] = state;
  }
  return words.buffer;
}
