/** One sender at a time, across all tabs and the service worker of this phone. */

import type { Locks } from './ports';

export const SYNC_LOCK = 'doorstep-sync';

/**
 * Do the work if nobody else does it; null when somebody does, who then sends ours too.
 *
 * Whoever `waits` comes next instead: what is there to see may have come after the other had asked,
 * and the line may be back since the other's request failed.
 */
export async function exclusively<T>(
  locks: Locks,
  { waits }: { waits: boolean },
  work: () => Promise<T>,
): Promise<T | null> {
  return locks.request(SYNC_LOCK, { ifAvailable: !waits }, async (lock) =>
    lock === null ? null : await work(),
  );
}

/**
 * Return locks for a browser without Web Locks: they hold within this page only.
 *
 * Between pages the leases of the entries then keep two senders apart.
 */
export function pageLocks(): Locks {
  const held = new Map<string, Promise<void>>();
  return {
    across_pages: false,
    async request(name, { ifAvailable }, work) {
      if (ifAvailable && held.has(name)) return work(null);
      while (held.has(name)) await held.get(name);
      // The lock is held before the work begins.
      const done = Promise.resolve({ name }).then(work);
      const end = (): void => void held.delete(name);
      held.set(name, done.then(end, end));
      return done;
    },
  };
}
