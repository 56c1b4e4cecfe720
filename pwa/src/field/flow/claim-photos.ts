/**
 * The photos of a warranty claim. The small ones are kept while their visit is to come, so that they are
 * there in any cellar; the large ones need a signal. Where a phone keeps nothing they are only looked at.
 */

import type { components } from '../../generated/api';

export type ClaimPhoto = components['schemas']['ClaimPhoto'];

/** Asks the server; null when no answer came. */
export type Ask = (
  method: 'GET',
  path: string,
) => Promise<{ status: number; body: unknown } | null>;

/** What a phone keeps by address: a browser's `Cache`. */
export type Shelf = Pick<Cache, 'match' | 'put' | 'delete' | 'keys'>;

/** What is kept of a visit, with how many photos its card spoke of then. */
interface Kept {
  count: number;
  photos: ClaimPhoto[];
}

const path = (visit_id: string): string => `/field/visits/${visit_id}/claim-photos`;

/** Return the photos as the server has them, else as they were kept; null where there are none here. */
export async function photosOf(
  visit_id: string,
  count: number,
  ask: Ask,
  shelf: Shelf | null,
): Promise<{ photos: ClaimPhoto[]; fresh: boolean } | null> {
  const photos = await fetched(visit_id, count, ask, shelf);
  if (photos !== null) return { photos, fresh: true };
  const kept = await read(visit_id, shelf);
  return kept === null ? null : { photos: kept.photos, fresh: false };
}

/** Keep the photos of these visits, by how many each has, and none of any other visit. */
export async function keepPhotos(
  visits: ReadonlyMap<string, number>,
  ask: Ask,
  shelf: Shelf,
): Promise<void> {
  const wanted = new Set([...visits.keys()].map(path));
  for (const { url } of await shelf.keys()) {
    if (!wanted.has(new URL(url).pathname)) await shelf.delete(url);
  }
  for (const [visit_id, count] of visits) {
    if ((await read(visit_id, shelf))?.count !== count) {
      await fetched(visit_id, count, ask, shelf);
    }
  }
}

async function fetched(
  visit_id: string,
  count: number,
  ask: Ask,
  shelf: Shelf | null,
): Promise<ClaimPhoto[] | null> {
  const answer = await ask('GET', path(visit_id));
  if (answer?.status !== 200) return null;
  const photos = answer.body as ClaimPhoto[];
  const kept: Kept = { count, photos };
  // A phone that is full keeps its captures rather than this; the photos are shown all the same.
  await shelf?.put(path(visit_id), Response.json(kept)).catch(() => undefined);
  return photos;
}

async function read(visit_id: string, shelf: Shelf | null): Promise<Kept | null> {
  const found = await shelf?.match(path(visit_id));
  return found === undefined ? null : ((await found.json()) as Kept);
}
