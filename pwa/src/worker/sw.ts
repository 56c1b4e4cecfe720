/** The service worker of the field app: it opens without a signal, and sends with the page closed. */

import { createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';

import { CLAIM, TAKE_OVER, type Word } from '../shared/browser/between';
import type { Field } from '../shared/browser/field';
import { onBackgroundSync, type SyncEvent } from './background-sync';
import { onPush, onTap } from './notifications';

declare const self: ServiceWorkerGlobalScope & {
  precached: { url: string; revision: string | null }[];
  /** What the part that sends gives. */
  openSync: () => Field;
};

/** Where the part that sends lies, named by its content; see build/worker-sync.ts. */
declare const SYNC_FILE: string;

let opened: Field | null = null;

// Woken for a page that loads, the worker needs no sync and no database.
function field(): Field {
  if (opened === null) importScripts(SYNC_FILE);
  return (opened ??= self.openSync());
}

// What is imported while it installs lies beside the worker from then on, also without a signal.
self.addEventListener('install', () => importScripts(SYNC_FILE));

precacheAndRoute(self.precached);
registerRoute(new NavigationRoute(createHandlerBoundToURL('index.html')));

// The first worker of all has nobody to disturb. Later ones wait until they are told.
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('message', (event) => {
  const word = (event.data as Word | null)?.type;
  if (word === TAKE_OVER) void self.skipWaiting();
  if (word === CLAIM) event.waitUntil(self.clients.claim());
});
self.addEventListener('sync' as 'message', (event) =>
  onBackgroundSync(event as unknown as SyncEvent, field),
);
self.addEventListener('push', (event) =>
  event.waitUntil(onPush(self, event.data?.text() ?? null, field)),
);
self.addEventListener('notificationclick', (event) =>
  event.waitUntil(onTap(self, event.notification, field)),
);
