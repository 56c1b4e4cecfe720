/**
 * When to sync: after each commit, online, visible, start, timer, push, button, Background Sync.
 *
 * None of them is trusted: each only asks for a run, and a run asks the server. Calls while a run
 * is under way become one more run after it.
 */

import type { Timers } from './ports';

export const REASONS = [
  'start',
  'commit',
  'online',
  'visible',
  'timer',
  'push',
  'button',
  'background_sync',
] as const;

export type Reason = (typeof REASONS)[number];

/** While anything waits it is tried at least this often. */
export const TIMER_MS = 60_000;

/** And never more often, whatever a run says: a phone lives on its battery. */
const LEAST_MS = 1_000;

/** After so many failures in a row the longest pause is reached. */
const DOUBLINGS = 6;

/** These say that something has changed for the better, so a pause of our own is cut short. */
const EAGER = new Set<Reason>(['online', 'visible', 'push', 'button', 'background_sync']);

/** Sync; return after how many ms to try again, or null when nothing waits. */
export type Run = (options: { eager: boolean }) => Promise<number | null>;

export class Triggers {
  #running: Promise<void> | null = null;
  #asked: { eager: boolean } | null = null;
  #cancelTimer: (() => void) | null = null;
  /** So many runs in a row have ended by a failure of the phone itself, not of the line. */
  #failures = 0;
  #stopped = false;

  constructor(
    private readonly run: Run,
    private readonly timers: Timers,
    /** Ask the browser to wake the service worker, where it can; the page may be closed by then. */
    private readonly registerBackgroundSync: () => Promise<void> = async () => undefined,
    /** Hears why a run has broken off. */
    private readonly brokeOff: (failure: unknown) => void = () => undefined,
  ) {}

  /** Ask for a sync; what is returned ends when a run that began after this call has ended. */
  async fire(reason: Reason): Promise<void> {
    if (this.#stopped) return;
    this.#asked = { eager: EAGER.has(reason) || this.#asked?.eager === true };
    if (reason === 'commit') this.registerBackgroundSync().catch(() => undefined);
    // A run that has begun already may have missed what this call is about.
    while (this.#running !== null) await this.#running;
    if (this.#asked === null) return;
    this.#running = this.#once();
    await this.#running;
  }

  /** Let no timer go off any more. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  async #once(): Promise<void> {
    const options = this.#asked ?? { eager: false };
    this.#asked = null;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    let again: number | null;
    try {
      again = await this.run(options);
      this.#failures = 0;
    } catch (failure) {
      // The storage failed; everything is where it was. Most often it works again at once.
      this.brokeOff(failure);
      again = LEAST_MS * 2 ** Math.min(this.#failures++, DOUBLINGS);
    } finally {
      this.#running = null;
    }
    if (again === null || this.#stopped) return;
    const wait = Math.min(Math.max(again, LEAST_MS), TIMER_MS);
    this.#cancelTimer = this.timers.after(wait, () => void this.fire('timer'));
  }
}
