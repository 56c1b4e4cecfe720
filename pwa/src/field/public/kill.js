// Served as sw.js when the app must be taken out of service: it removes itself and every cached
// page, so that the next load comes from the server. What people have captured is not touched.
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => {
    event.waitUntil(
        (async () => {
            const names = await caches.keys();
            await Promise.all(names.map((name) => caches.delete(name)));
            await self.registration.unregister();
            // Once only: a page that registers this worker again has no caches left.
            if (names.length === 0) return;
            const pages = await self.clients.matchAll({
                type: 'window',
                includeUncontrolled: true,
            });
            await Promise.all(pages.map((page) => page.navigate(page.url).catch(() => undefined)));
        })(),
    );
});
