/** What a browser gives outbox and sync, the same in a page and in the service worker. */

import { pageLocks } from '../sync/lock';
import type { Locks, Ports, StorageGauge } from '../sync/ports';

/** Return the ports of this page or worker; who sends and what signs comes from elsewhere. */
export function browserPorts(app_version: string): Omit<Ports, 'sessions' | 'signer' | 'copies'> {
  return {
    fetch: (url, init) => fetch(url, init),
    indexedDB,
    clock: { now: () => Date.now(), mono: () => performance.now() },
    timers: {
      after(ms, callback) {
        const timer = setTimeout(callback, ms);
        return () => clearTimeout(timer);
      },
    },
    locks: browserLocks(),
    gauge: browserGauge,
    digest: (bytes) => crypto.subtle.digest('SHA-256', bytes),
    random32: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
    boot: crypto.randomUUID(),
    app_version,
    base_url: '',
  };
}

/** Tell how much this browser stores for us, of how much, and whether it keeps it when room is short. */
export async function browserGauge(): Promise<StorageGauge> {
  // Absent outside of secure contexts and in old browsers.
  const storage = navigator.storage as StorageManager | undefined;
  const estimate = await storage?.estimate?.();
  const persisted = await storage?.persisted?.();
  return {
    used: estimate?.usage ?? null,
    quota: estimate?.quota ?? null,
    persisted: persisted ?? null,
  };
}

/** Web Locks reach across all tabs and the worker; a browser without them has this page's own. */
function browserLocks(): Locks {
  if (!('locks' in navigator)) return pageLocks();
  return {
    across_pages: true,
    request: async (name, options, work) =>
      await navigator.locks.request(name, options, (lock) => work(lock)),
  };
}
