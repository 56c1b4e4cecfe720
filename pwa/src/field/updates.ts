/**
 * How a new version takes over: asked for, never under a form that is not saved, never in mid-sync.
 *
 * A new worker waits until somebody says yes, or until the app starts cold. It then takes over all
 * pages at once, and each of them loads anew, once. The outbox is not touched by any of it.
 */

import { CLAIM, TAKE_OVER } from '../shared/browser/between';
import { SYNC_LOCK } from '../shared/sync/lock';

/** Held, shared, by every page on which somebody has typed what is not saved yet. */
export const UNSAVED_LOCK = 'doorstep-unsaved';

export const CHECK_MS = 60 * 60_000;

/** A page that has just been loaded anew is not loaded anew again, unless somebody asks for it. */
export const RELOAD_GUARD_MS = 30_000;

const RELOADED_AT = 'doorstep-reloaded-at';

/** What became of a wish to update: done, nothing to do, or what it has to wait for. */
export type Applied = 'applied' | 'current' | 'unsaved' | 'sending';

export interface UpdatePorts {
  container: Pick<ServiceWorkerContainer, 'register' | 'ready' | 'controller' | 'addEventListener'>;
  locks: Pick<LockManager, 'request'>;
  storage: { getItem(name: string): string | null; setItem(name: string, value: string): void };
  now: () => number;
  reload: () => void;
  /** A new version waits; a page shows it and lets its user say when. */
  ready: () => void;
}

export class Updates {
  #registration: ServiceWorkerRegistration | null = null;
  /** Somebody who looks at this page has said yes to a new version. */
  #asked = false;

  constructor(private readonly ports: UpdatePorts) {}

  /** Register the worker, take over what has waited since the last time, and watch for new ones. */
  async start(url: string, scope: string): Promise<void> {
    const { container } = this.ports;
    // The first worker of all takes over a page that is just as new: nothing to load anew.
    let controlled = container.controller !== null;
    container.addEventListener('controllerchange', () => {
      if (controlled) this.#reload();
      controlled = true;
    });
    const registration = await container.register(url, { scope, updateViaCache: 'none' });
    this.#registration = registration;
    registration.addEventListener('updatefound', () => this.#watch(registration.installing));
    this.#watch(registration.installing);
    // Registered while the worker that takes the app out of service was leaving, it is that one still,
    // and nobody has looked for its successor.
    if (container.controller === null && registration.installing === null) void this.check();
    // A page that was just being loaded when the first worker took over its pages was passed by.
    if (container.controller === null) {
      void container.ready.then(({ active }) => active?.postMessage({ type: CLAIM }));
    }
    if (registration.waiting === null) return;
    // At a cold start there is no form yet, so nobody has to be asked.
    const asks = this.#justReloaded() || (await this.#takeOver()) !== 'applied';
    if (asks) this.ports.ready();
  }

  /** Look whether there is a new version: hourly, when the page is looked at, when the server says 426. */
  async check(): Promise<void> {
    // Without a signal there is nothing to find; the next look finds it.
    await this.#registration?.update().catch(() => undefined);
  }

  /** Let the version that waits take over, if no page has anything unsaved and nothing is being sent. */
  async apply(): Promise<Applied> {
    this.#asked = true;
    return await this.#takeOver();
  }

  async #takeOver(): Promise<Applied> {
    const waiting = this.#registration?.waiting ?? null;
    if (waiting === null) return 'current';
    return this.#alone(UNSAVED_LOCK, 'unsaved', () =>
      this.#alone(SYNC_LOCK, 'sending', async () => {
        waiting.postMessage({ type: TAKE_OVER });
        await activated(waiting);
        return 'applied';
      }),
    );
  }

  async #alone(name: string, otherwise: Applied, work: () => Promise<Applied>): Promise<Applied> {
    return await this.ports.locks.request(
      name,
      { mode: 'exclusive', ifAvailable: true },
      async (lock) => (lock === null ? otherwise : await work()),
    );
  }

  #watch(worker: ServiceWorker | null): void {
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed' && this.ports.container.controller !== null) {
        this.ports.ready();
      }
    });
  }

  #reload(): void {
    if (this.#justReloaded() && !this.#asked) return;
    this.ports.storage.setItem(RELOADED_AT, String(this.ports.now()));
    this.ports.reload();
  }

  #justReloaded(): boolean {
    const before = Number(this.ports.storage.getItem(RELOADED_AT) ?? 0);
    return Math.abs(this.ports.now() - before) < RELOAD_GUARD_MS;
  }
}

/** Mark this page as one with something unsaved; what is returned takes it back. */
export function holdUnsaved(locks: Pick<LockManager, 'request'>): () => void {
  const saved = new AbortController();
  void locks.request(
    UNSAVED_LOCK,
    { mode: 'shared' },
    () =>
      new Promise<void>((resolve) => {
        if (saved.signal.aborted) resolve();
        saved.signal.addEventListener('abort', () => resolve());
      }),
  );
  return () => saved.abort();
}

function activated(worker: ServiceWorker): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (worker.state === 'activated' || worker.state === 'redundant') resolve();
    };
    worker.addEventListener('statechange', look);
    look();
  });
}
