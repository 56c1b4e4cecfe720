/** One sender at a time, across all tabs and the service worker of this phone. */

import type { Locks } from './ports';

export const SYNC_LOCK = 'doorstep-sync';

/** Do the work if nobody else does it; null when somebody does, who then sends ours too. */
export async function exclusively<T>(locks: Locks, work: () => Promise<T>): Promise<T | null> {
  return locks.request(SYNC_LOCK, { ifAvailable: true }, async (lock) =>
    lock === null ? null : await work(),
  );
}

/**
 * Return locks for a browser without Web Locks: they hold within this page only.
 *
 * Between pages the leases of the entries then keep two senders apart.
 */
export function pageLocks(): Locks {
  const held = new Set<string>();
  return {
    async request(name, _options, work) {
      if (held.has(name)) return work(null);
      held.add(name);
      try {
        return await work({ name });
      } finally {
        held.delete(name);
      }
    },
  };
}
