/** Which of the places that a phone reports are worth keeping: few, and the fewer the less happens. */

import { metres, type Point } from './geometry';

/** A place as the browser reports it, with the time by a clock that only ever grows. */
export interface Seen extends Point {
  accuracy_m: number;
  /** Metres a second; null where the browser does not say. */
  speed_mps: number | null;
  mono_ms: number;
}

export const FAR_M = 75;
export const MOVING_MS = 60_000;
export const STANDING_MS = 5 * 60_000;

/** So fast nobody walks about in a kitchen. */
const MOVING_MPS = 1.5;

/**
 * Tell whether a place is kept, after the last one that was.
 *
 * Moving: after 75 m or a minute. Standing, or where battery or data are short: after five minutes. A
 * place that is known to 200 m has not moved by 75.
 */
export function isWorth(seen: Seen, last: Seen | null, sparing: boolean): boolean {
  if (last === null) return true;
  const after = seen.mono_ms - last.mono_ms;
  if (after >= STANDING_MS) return true;
  if (sparing) return false;
  const away = metres(last, seen);
  if (away >= Math.max(FAR_M, seen.accuracy_m)) return true;
  return after >= MOVING_MS && (seen.speed_mps ?? 0) >= MOVING_MPS;
}

export type Battery = 'low' | 'middle' | 'high';

/** From so little on it is spared. */
const LOW = 0.2;

/** Name how full a battery is, as roughly as anybody needs; null where the browser does not say. */
export function bucket(level: number | null): Battery | null {
  if (level === null) return null;
  return level < LOW ? 'low' : level < 0.5 ? 'middle' : 'high';
}
