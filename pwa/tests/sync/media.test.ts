import { createHash } from 'node:crypto';

import { expect, test } from 'vitest';

import { plainNetwork, type Device } from '../support/device';
import type { Request } from '../support/model-server';
import { capture, captureMany, PERSON, phone, picture, runToTheEnd } from '../support/captures';

function watch(device: Device, fails: (request: Request, count: number) => boolean): Request[] {
  const seen: Request[] = [];
  device.network = (request, server) => {
    if (request.url.startsWith('/uploads')) {
      seen.push(request);
      if (fails(request, seen.length)) return Promise.reject(new TypeError('Failed to fetch'));
    }
    return Promise.resolve(server.handle(request));
  };
  return seen;
}

function hashOf(bytes: ArrayBuffer): string {
  return createHash('sha256').update(new Uint8Array(bytes)).digest('hex');
}

test('all previews go before the first photo, events before both', async () => {
  const device = phone();
  const { sync } = device.boot();
  const pairs = [1, 2].map((seed) => [
    picture('photo', 40_000, seed),
    picture('preview', 3_000, seed),
  ]);
  await captureMany(sync, 2, (index) => ({ pictures: pairs[index] ?? [] }));
  // A preview is the same picture as its photo.
  expect((await sync.status(PERSON)).pictures_waiting.count).toBe(2);
  expect((await sync.onItsWay(PERSON)).map((lane) => lane.pictures)).toEqual([2]);
  const seen = watch(device, () => {
    expect(device.server.events.size).toBe(2);
    return false;
  });
  await runToTheEnd(sync, device);
  const lengths = seen.map((request) => request.headers['Upload-Length']);
  expect(lengths).toEqual(['3000', '3000', '40000', '40000', '40000', '40000']);
  expect(await sync.status(PERSON)).toMatchObject({
    pictures_waiting: { count: 0, bytes: 0 },
    pictures_confirmed: 4,
  });
});

test('a photo of 250 kB over a line that drops again and again costs one chunk a drop', async () => {
  const device = phone();
  const photo = picture('photo', 250_000);
  let { sync } = device.boot();
  await sync.capture(capture({ pictures: [photo] }));
  let drops = 0;
  const seen = watch(device, (request, count) => {
    const drop = count % 3 === 0;
    // Half of the drops lose the answer only: the chunk has arrived.
    if (drop && count % 2 === 0) device.server.handle(request);
    drops += drop ? 1 : 0;
    return drop;
  });
  for (let round = 0; round < 30; round += 1) {
    await sync.run({ eager: true });
    // Every time the page is another one: what counts is stored.
    ({ sync } = device.boot());
    device.elapsed += 10_000;
  }
  const chunks = seen.filter((request) => request.method === 'PATCH').length;
  expect(device.server.uploadOf(PERSON, hashOf(photo.bytes))?.complete).toBe(true);
  expect(chunks).toBeLessThanOrEqual(8 + drops);
  expect(drops).toBeGreaterThan(2);
  expect((await sync.status(PERSON)).pictures_waiting.count).toBe(0);
});

test('bytes stay until the server has verified them', async () => {
  const device = phone();
  const { sync } = device.boot();
  await sync.capture(capture({ pictures: [picture('photo', 1_000)] }));
  device.network = async (request, server) => {
    const answer = server.handle(request);
    if (!request.url.startsWith('/uploads')) return answer;
    return { ...answer, headers: { ...answer.headers, 'Upload-Complete': '?0' } };
  };
  await runToTheEnd(sync, device, 5);
  expect((await sync.status(PERSON)).pictures_waiting).toEqual({ count: 1, bytes: 1_000 });
  device.network = plainNetwork;
  await runToTheEnd(sync, device);
  expect((await sync.status(PERSON)).pictures_waiting.count).toBe(0);
});

test('an upload goes on from where the server is, also when that is further back', async () => {
  const device = phone();
  const { sync } = device.boot();
  const photo = picture('photo', 100_000);
  await sync.capture(capture({ pictures: [photo] }));
  watch(device, (_request, count) => count === 3);
  await sync.run({ eager: true });
  // The server dropped the parts of an upload that nobody went on with.
  device.server.uploads.clear();
  device.network = plainNetwork;
  await runToTheEnd(sync, device);
  expect(device.server.uploadOf(PERSON, hashOf(photo.bytes))?.complete).toBe(true);
});

test.each([413, 422])('a picture that is refused with %i is shown and kept', async (status) => {
  const device = phone();
  const { sync } = device.boot();
  const pictures = [picture('preview', 900), picture('photo', 1_000)];
  await sync.capture(capture({ pictures }));
  device.network = (request, server) =>
    Promise.resolve(
      request.headers['Upload-Length'] === '900' ? { status } : server.handle(request),
    );
  await runToTheEnd(sync, device);
  expect(await sync.status(PERSON)).toMatchObject({
    confirmed: 1,
    needs_attention: 1,
    pictures_waiting: { count: 1, bytes: 900 },
    pictures_confirmed: 1,
  });
  device.network = plainNetwork;
  await sync.run({ eager: true });
  expect(await sync.status(PERSON)).toMatchObject({ needs_attention: 0, pictures_confirmed: 2 });
});

test('an event that is captured during an upload does not wait for its end', async () => {
  const device = phone();
  const { sync } = device.boot();
  await sync.capture(capture({ pictures: [picture('photo', 200_000)] }));
  const order: string[] = [];
  device.network = async (request, server) => {
    if (request.url.startsWith('/field/sync/pull')) return server.handle(request);
    order.push(request.method);
    if (order.length === 3) await sync.capture(capture());
    return server.handle(request);
  };
  await runToTheEnd(sync, device);
  expect(order.slice(0, 4)).toEqual(['POST', 'PATCH', 'PATCH', 'POST']);
});
