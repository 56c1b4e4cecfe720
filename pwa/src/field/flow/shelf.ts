/** Where the photos of visits to come are from, and where this browser keeps them. */

import { KEPT_PHOTOS, phone } from '../phone.svelte';
import type { Ask, Shelf } from './claim-photos';

/** Ask the server as whoever works with this phone. */
export const ask: Ask = (method, path) => phone.ask(method, path);

/** Open the shelf; a browser that is out of room, or asked to keep nothing, has none. */
export async function openShelf(): Promise<Shelf | null> {
  if (!('caches' in globalThis)) return null;
  return await caches.open(KEPT_PHOTOS).catch(() => null);
}
