/** Keeps the sync of a page going: every reason that there is to try, none of them trusted. */

import { BACKGROUND_TAG, LOOK, type Word } from '../shared/browser/between';
import { openField, type Field } from '../shared/browser/field';
import type { Copies } from '../shared/sync/database';
import { Sync } from '../shared/sync/sync';
import { Triggers, type Reason } from '../shared/sync/triggers';
import { keepSubscribed } from './subscription';

interface WithSync {
  sync?: { register(tag: string): Promise<void> };
}

export interface Running extends Field<Sync> {
  /** Ask for a sync; it ends with a run that began after this call. */
  fire(reason: Reason): Promise<void>;
  /** Have whoever works here told of new work while the app is closed, where that is allowed. */
  subscribe(): Promise<boolean>;
}

/**
 * Open the phone and sync from now on, for as long as the page lives.
 *
 * `ran` is called after each run, whatever came of it: screens look anew then.
 */
export function startField(ran: () => void = () => undefined): Running {
  const field = openField(APP_VERSION, Sync, openCopy());
  const run = (options: { eager: boolean }): Promise<number | null> =>
    field.sync.run(options).finally(ran);
  const triggers = new Triggers(run, timers, wakeWorker, tellBrowser);
  const fire = (reason: Reason): Promise<void> => triggers.fire(reason);
  window.addEventListener('online', () => void fire('online'));
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void fire('visible');
  });
  navigator.serviceWorker.addEventListener('message', (event) => {
    if ((event.data as Word | null)?.type === LOOK) void fire('push');
  });
  const subscribe = async (): Promise<boolean> =>
    keepSubscribed(await navigator.serviceWorker.ready, (...asked) => field.sync.ask(...asked));
  void fire('start');
  void subscribe();
  return { ...field, fire, subscribe };
}

/** The first screen does not wait for it; the first that is captured does. */
async function openCopy(): Promise<Copies | null> {
  return import('../shared/browser/bucket').then(
    (bucket) => bucket.openCopy(),
    () => null,
  );
}

const timers = {
  after(ms: number, callback: () => void): () => void {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** As a method of anything but the window `reportError` throws, and nothing would be tried again. */
function tellBrowser(failure: unknown): void {
  reportError(failure);
}

/** Have the browser wake the worker when there is a signal, where it can; the page may be closed. */
async function wakeWorker(): Promise<void> {
  const registration = (await navigator.serviceWorker.ready) as WithSync;
  await registration.sync?.register(BACKGROUND_TAG);
}
