/**
 * What this life of page or worker knows of the true time.
 *
 * The wall clock of a phone may be days off. Monotonic time since the last word of the server is
 * not: with both the server gives each capture an interval it can trust. Monotonic times of two
 * boots cannot be compared, so nothing of it is stored.
 */

import type { Clock } from './ports';
import type { WireEvent } from './wire';

type Times = Pick<WireEvent, 'captured_at' | 'mono_ms' | 'boot' | 'server_at' | 'server_mono_ms'>;

export class TrustedTime {
  #heard: { server_at: string; server_mono_ms: number } | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly boot: string,
  ) {}

  /** Remember what the server's clock said, as of now. */
  hear(serverTime: string): void {
    this.#heard = { server_at: serverTime, server_mono_ms: Math.round(this.clock.mono()) };
  }

  /** Return the times that a capture of this moment carries, each as it is, none corrected. */
  stamp(): Times {
    return {
      captured_at: new Date(this.clock.now()).toISOString(),
      mono_ms: Math.round(this.clock.mono()),
      boot: this.boot,
      server_at: this.#heard?.server_at ?? null,
      server_mono_ms: this.#heard?.server_mono_ms ?? null,
    };
  }

  /** Return the server's time as far as it is known, else the phone's; in ms since 1970. */
  now(): number {
    return this.clock.now() - (this.offset() ?? 0);
  }

  /** Return by how many ms the phone's clock is ahead of the server's; null before it was heard. */
  offset(): number | null {
    if (this.#heard === null) return null;
    const since = this.clock.mono() - this.#heard.server_mono_ms;
    return Math.round(this.clock.now() - (Date.parse(this.#heard.server_at) + since));
  }
}
