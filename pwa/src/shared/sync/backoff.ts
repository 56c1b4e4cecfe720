/** How long to wait after a failure: random up to a limit that doubles, so phones spread out. */

export const FIRST_LIMIT_MS = 2_000;
export const LAST_LIMIT_MS = 5 * 60_000;

/** A server that asks for more than this is asked again after this. */
export const LONGEST_RETRY_AFTER_MS = 60 * 60_000;

const DOUBLINGS = 16;

/** Return the wait after the nth failure in a row (1 is the first): full jitter, 2 s to 5 min. */
export function jitteredWait(failures: number, random32: () => number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), DOUBLINGS);
  return Math.ceil(
    (random32() / 2 ** 32) * Math.min(LAST_LIMIT_MS, FIRST_LIMIT_MS * 2 ** doublings),
  );
}

/** Return the ms that a `Retry-After` asks for, in seconds or as a date; null when it asks nothing. */
export function retryAfter(header: string | null, now: number): number | null {
  if (header === null || header.trim() === '') return null;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - now;
  if (Number.isNaN(ms)) return null;
  return Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS);
}

/**
 * Tell whether a stored moment is over.
 *
 * The phone's clock may have jumped back since it was stored: a moment that is further ahead than
 * it can have been set is over too, else a capture would wait for days.
 */
export function isOver(moment: number, now: number, longest: number): boolean {
  return moment <= now || moment - now > longest;
}
