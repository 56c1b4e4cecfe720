/** Work that is offered to somebody on the road: how long it can still be answered. */

import type { WireEvent } from '../../shared/sync/wire';

type Stamp = Pick<WireEvent, 'captured_at' | 'mono_ms' | 'server_at' | 'server_mono_ms'>;

/**
 * Return the seconds that are left, by the server's clock where this life of the app has heard it.
 *
 * A phone's wall clock may be days off; it only counts where there is nothing better.
 */
export function secondsLeft(ends_at: string, stamp: Stamp): number {
  const { captured_at, mono_ms, server_at, server_mono_ms } = stamp;
  const now =
    server_at === null || server_mono_ms === null
      ? Date.parse(captured_at)
      : Date.parse(server_at) + (mono_ms - server_mono_ms);
  return Math.max(0, Math.ceil((Date.parse(ends_at) - now) / 1_000));
}

/** Write seconds as minutes and seconds: 2:05. */
export function countdown(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
