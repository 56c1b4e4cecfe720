/** The service worker of the field app: it opens without a signal, and sends with the page closed. */

import { createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';

import { TAKE_OVER, type Word } from '../shared/browser/between';
import { openField, type Field } from '../shared/browser/field';
import { Exchange } from '../shared/sync/exchange';
import { onBackgroundSync, type SyncEvent } from './background-sync';
import { onPush, onTap } from './notifications';

declare const self: ServiceWorkerGlobalScope & {
  precached: { url: string; revision: string | null }[];
};

let opened: Field | null = null;

// Woken for a page that loads, the worker needs no database.
const field = (): Field => (opened ??= openField(APP_VERSION, Exchange));

precacheAndRoute(self.precached);
registerRoute(new NavigationRoute(createHandlerBoundToURL('index.html')));

// The first worker of all has nobody to disturb. Later ones wait until they are told.
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('message', (event) => {
  if ((event.data as Word | null)?.type === TAKE_OVER) void self.skipWaiting();
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
