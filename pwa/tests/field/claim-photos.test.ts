import { expect, test } from 'vitest';

import {
  keepPhotos,
  photosOf,
  type ClaimPhoto,
  type Shelf,
} from '../../src/field/flow/claim-photos';

const PLACE = 'https://doorstep.test';
const photo = (sha256: string): ClaimPhoto => ({ sha256, small: 'AAAA', large_url: `/${sha256}` });
const whole = (one: string): string => new URL(one, PLACE).href;

/** A browser's cache, and a server that knows photos by visit; `asked` is what it was asked. */
function world(photos: Record<string, ClaimPhoto[]>, options: { full?: boolean } = {}) {
  const lying = new Map<string, Response>();
  const asked: string[] = [];
  const line = { is: true };
  const shelf = {
    match: async (url: string) => lying.get(whole(url))?.clone(),
    put: async (url: string, response: Response) => {
      if (options.full === true) throw new DOMException('no room', 'QuotaExceededError');
      lying.set(whole(url), response);
    },
    delete: async (url: string) => lying.delete(whole(url)),
    keys: async () => [...lying.keys()].map((url) => new Request(url)),
  } as Shelf;
  const ask = async (_method: 'GET', path: string) => {
    asked.push(path);
    const body = photos[path.split('/')[3] ?? ''];
    if (!line.is) return null;
    return body === undefined ? { status: 404, body: null } : { status: 200, body };
  };
  return { shelf, ask, asked, line, lying };
}

test('without a signal the photos are there as they were kept, without links that have ended', async () => {
  const { shelf, ask, line } = world({ v1: [photo('a'), photo('b')] });
  const online = await photosOf('v1', 2, ask, shelf);
  expect(online).toEqual({ photos: [photo('a'), photo('b')], fresh: true });
  line.is = false;
  expect(await photosOf('v1', 2, ask, shelf)).toEqual({ ...online, fresh: false });
  expect(await photosOf('v2', 1, ask, shelf)).toBeNull();
});

test('what the next visits show is fetched once, and again when photos have come to it', async () => {
  const { shelf, ask, asked } = world({ v1: [photo('a')], v2: [photo('b')] });
  const visits = new Map([['v1', 1], ['v2', 1]]); // prettier-ignore
  await keepPhotos(visits, ask, shelf);
  await keepPhotos(visits, ask, shelf);
  expect(asked).toEqual(['/field/visits/v1/claim-photos', '/field/visits/v2/claim-photos']);
  await keepPhotos(visits.set('v2', 2), ask, shelf);
  expect(asked.slice(2)).toEqual(['/field/visits/v2/claim-photos']);
});

test('photos go with their visit', async () => {
  const { shelf, ask, lying } = world({ v1: [photo('a')], v2: [photo('b')] });
  await keepPhotos(new Map([['v1', 1], ['v2', 1]]), ask, shelf); // prettier-ignore
  await keepPhotos(new Map([['v2', 1]]), ask, shelf);
  expect([...lying.keys()]).toEqual([`${PLACE}/field/visits/v2/claim-photos`]);
  await keepPhotos(new Map(), ask, shelf);
  expect(lying.size).toBe(0);
});

test('a phone without room shows them all the same', async () => {
  const { shelf, ask } = world({ v1: [photo('a')] }, { full: true });
  expect(await photosOf('v1', 1, ask, shelf)).toEqual({ photos: [photo('a')], fresh: true });
  expect(await photosOf('v1', 1, ask, null)).toEqual({ photos: [photo('a')], fresh: true });
});

test('a visit that was given to somebody else is not kept and not shown', async () => {
  const { shelf, ask, lying } = world({});
  await keepPhotos(new Map([['v1', 1]]), ask, shelf);
  expect(lying.size).toBe(0);
  expect(await photosOf('v1', 1, ask, shelf)).toBeNull();
});
