import { expect, test, vi } from 'vitest';

import { canonicalBytes, canonicalJson } from '../../src/shared/sync/canonical';
import { DeviceKeys } from '../../src/shared/sync/device-key';
import { Database, StorageFull } from '../../src/shared/sync/database';
import { CaptureTooLarge } from '../../src/shared/sync/outbox';
import { DATABASE_NAME, STEPS } from '../../src/shared/sync/schema';
import { capture, captureMany, PERSON, phone, picture } from '../support/captures';

test('a capture is one strict transaction with its state and its pictures', async () => {
  const device = phone();
  const { sync } = device.boot(null, { indexedDB: device.storage });
  await sync.capture(capture());
  const begin = vi.spyOn(IDBDatabase.prototype, 'transaction');
  const pictures = [picture('preview', 2_000), picture('photo', 5_000)];
  await sync.capture(capture({ changes: { 'stop:1': 'delivered' }, pictures }));
  const writes = begin.mock.calls.filter(([, mode]) => mode === 'readwrite');
  begin.mockRestore();
  expect(writes).toHaveLength(1);
  expect(writes[0]?.[2]).toEqual({ durability: 'strict' });
  expect(await sync.state(PERSON)).toEqual(new Map([['stop:1', 'delivered']]));
  expect(await sync.status(PERSON)).toMatchObject({
    waiting: { count: 2 },
    pictures_waiting: { count: 1, bytes: 7_000 },
  });
});

test('a full phone says so, and then nothing of the capture was kept', async () => {
  const device = phone();
  const { sync } = device.boot(null, { copies: Promise.resolve(null) });
  await sync.capture(capture({ changes: { job: 'first' } }));
  const pictures = [picture('photo', 4_000)];
  for (let write = 1; write <= 5; write += 1) {
    let left = write;
    device.writeFault = () =>
      (left -= 1) === 0 ? new DOMException('No room.', 'QuotaExceededError') : null;
    const refused = sync.capture(capture({ changes: { job: 'second' }, pictures }));
    await expect(refused, `write ${write}`).rejects.toThrow(StorageFull);
  }
  device.writeFault = () => null;
  expect(await sync.state(PERSON)).toEqual(new Map([['job', 'first']]));
  const status = await sync.status(PERSON);
  expect([status.waiting.count, status.pictures_waiting.count]).toEqual([1, 0]);
  const next = await sync.capture(capture());
  expect(next.device_seq).toBe(2);
});

test('numbers of the device have no gap, also with two pages at once', async () => {
  const device = phone();
  const pages = [device.boot().sync, device.boot().sync];
  const events = await Promise.all(
    pages.flatMap((sync) => Array.from({ length: 10 }, () => sync.capture(capture()))),
  );
  const numbers = events.map((event) => event.device_seq).toSorted((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(new Set(events.map((event) => event.event_id)).size).toBe(20);
  for (const { event_id } of events) {
    expect(event_id).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  }
});

test("a person's key signs what is sent, cannot be read and outlives the page", async () => {
  const device = phone();
  const database = new Database(device.storage);
  const keys = new DeviceKeys(crypto.subtle, () => database);
  const enrolled = await keys.fresh();
  await keys.adopt(PERSON);
  const { sync } = device.boot(null, { signer: keys });
  const event = await sync.capture(capture({ payload: { words: 'माल मिला', cash: 12.5 } }));
  const again = new DeviceKeys(crypto.subtle, () => new Database(device.storage));
  expect(await again.publicKey(PERSON)).toEqual(enrolled);
  const publicKey = await crypto.subtle.importKey(
    'jwk',
    enrolled,
    { name: 'ECDSA', namedCurve: 'P-256' },
    false,
    ['verify'],
  );
  const signature = Buffer.from(event.sig ?? '', 'base64url');
  const how = { name: 'ECDSA', hash: 'SHA-256' };
  const sent = JSON.parse(JSON.stringify(event)) as typeof event;
  expect(signature).toHaveLength(64);
  expect(await crypto.subtle.verify(how, publicKey, signature, canonicalBytes(sent))).toBe(true);
  const other = canonicalBytes({ ...sent, device_seq: 2 });
  expect(await crypto.subtle.verify(how, publicKey, signature, other)).toBe(false);
  const stored = (await database.read(['meta'], (transaction) =>
    transaction.objectStore('meta').get(`device_key:${PERSON}`),
  )) as CryptoKeyPair;
  expect(stored.privateKey.extractable).toBe(false);
});

const gone = (): Promise<never> => Promise.reject(new Error('The key is gone.'));

test.each([
  ['nobody has enrolled', () => Promise.resolve(null)],
  ['that cannot be read', gone],
  ['that does not sign', () => Promise.resolve(gone)],
])('with a key %s a capture is kept unsigned', async (_, of) => {
  const { sync } = phone().boot(null, { signer: { of } });
  expect(await sync.capture(capture())).toMatchObject({ sig: null, device_seq: 1 });
});

test('canonical text sorts keys and spaces nothing', () => {
  const value = { b: [1, 2.5, 1e21, null], a: { ü: 'é"\n', B: true }, _: '' };
  expect(canonicalJson(value)).toBe('{"_":"","a":{"B":true,"ü":"é\\"\\n"},"b":[1,2.5,1e+21,null]}');
});

test('a capture carries its times as the phone has them, and the last word of the server', async () => {
  const device = phone();
  device.skew = -2 * 24 * 60 * 60_000;
  const { sync } = device.boot();
  device.elapsed += 5_000;
  const first = await sync.capture(capture());
  expect(first).toMatchObject({
    captured_at: '2026-11-24T10:00:05.000Z',
    mono_ms: 5_000,
    boot: 'boot-1',
    server_at: null,
    server_mono_ms: null,
  });
  await sync.run({ eager: false });
  device.elapsed += 60_000;
  const second = await sync.capture(capture());
  expect(second).toMatchObject({
    mono_ms: 65_000,
    server_at: '2026-11-26T10:00:05.000Z',
    server_mono_ms: 5_000,
  });
  expect(sync.clockOffset()).toBe(device.skew);
  // Another boot has another monotonic clock, so it has not heard the server yet.
  expect(await device.boot().sync.capture(capture())).toMatchObject({
    boot: 'boot-2',
    server_at: null,
  });
});

test('what no request could carry is refused at once', async () => {
  const { sync } = phone().boot();
  const words = 'x'.repeat(200_000);
  await expect(sync.capture(capture({ payload: { words } }))).rejects.toThrow(CaptureTooLarge);
  expect((await sync.status(PERSON)).waiting.count).toBe(0);
});

test('a lost connection to the storage is opened again, with all that was in it', async () => {
  const device = phone();
  const { sync } = device.boot();
  const open = vi.spyOn(device.storage, 'open');
  await captureMany(sync, 2);
  const request = open.mock.results[0]?.value as IDBOpenDBRequest;
  request.result.close();
  await captureMany(sync, 1);
  expect(open).toHaveBeenCalledTimes(2);
  expect((await sync.status(PERSON)).waiting.count).toBe(3);
});

test('an app of the version before works on after a newer one has grown the schema', async () => {
  const device = phone();
  const { sync } = device.boot();
  await captureMany(sync, 2);
  await new Promise((done, fail) => {
    // The open page lets go of its connection, else the newer app would wait for ever.
    const request = device.storage.open(DATABASE_NAME, STEPS.length + 1);
    request.addEventListener('upgradeneeded', () => request.result.createObjectStore('new'));
    request.addEventListener('success', () => done(request.result.close()));
    request.addEventListener('error', fail);
  });
  await captureMany(sync, 1);
  await captureMany(device.boot().sync, 1);
  expect((await sync.status(PERSON)).waiting.count).toBe(4);
});
