import { expect, test } from 'vitest';

import { Copy } from '../../src/shared/sync/copy';
import { Database, StorageFull } from '../../src/shared/sync/database';
import { DeviceKeys } from '../../src/shared/sync/device-key';
import type { Sync } from '../../src/shared/sync/sync';
import { capture, captureMany, PERSON, phone, picture, runToTheEnd } from '../support/captures';
import { Undo } from '../../src/shared/sync/undo';
import { EPOCH, type Device } from '../support/device';

/** Start the phone, and wait for what a start does beside the work. */
async function started(device: Device): Promise<ReturnType<Device['boot']>> {
  const born = device.boot();
  await born.sync.status(PERSON);
  for (let turn = 0; turn < 500 && !(await device.mayLoseStorage()); turn += 1) {
    await new Promise((next) => setTimeout(next));
  }
  expect(await device.mayLoseStorage()).toBe(true);
  return born;
}

async function expectAllSent(sync: Sync, device: Device, ids: string[]): Promise<void> {
  await runToTheEnd(sync, device);
  expect([...device.server.events.keys()].toSorted()).toEqual(ids.toSorted());
  const status = await sync.status(PERSON);
  expect([status.waiting.count, status.pictures_waiting.count]).toEqual([0, 0]);
  expect(device.server.wrongs).toEqual([]);
}

test('what the browser has lost comes back: captures, pictures, drafts, what screens show, keys', async () => {
  const device = phone();
  const first = await started(device);
  const keys = new DeviceKeys(crypto.subtle, () => first.sync.database);
  const key = await keys.fresh();
  await keys.adopt(PERSON);
  const kept = await captureMany(first.sync, 3, (index) => ({
    lane: `stop:${index}`,
    changes: { [`stop:${index}`]: 'done' },
    pictures: [picture('photo', 40_000, index)],
  }));
  await first.sync.database.write(['session', 'draft'], async (transaction) => {
    const session = { person_id: PERSON, device_id: 'd', access_token: 'a', refresh_token: 'r' };
    await transaction.objectStore('session').put({ ...session, state: 'signed_in' });
    await transaction.objectStore('draft').put({ person_id: PERSON, key: 'k', value: 'typed' });
  });
  first.life.kill();
  device.loseStorage();
  const { sync } = device.boot();
  expect((await sync.status(PERSON)).waiting.count).toBe(3);
  expect((await sync.state(PERSON)).size).toBe(3);
  expect(await new DeviceKeys(crypto.subtle, () => sync.database).publicKey(PERSON)).toEqual(key);
  const [session, draft] = await sync.database.read(['session', 'draft'], async (transaction) => [
    await transaction.objectStore('session').get(PERSON),
    await transaction.objectStore('draft').get([PERSON, 'k']),
  ]);
  expect(session).toMatchObject({ access_token: 'a', state: 'signed_in' });
  expect(draft).toMatchObject({ value: 'typed' });
  const next = await sync.capture(capture());
  expect(next.device_seq).toBe(4);
  await expectAllSent(
    sync,
    device,
    [...kept, next].map((event) => event.event_id),
  );
  expect([...device.server.uploads.values()].map((upload) => upload.complete)).toEqual([
    true,
    true,
    true,
  ]);
});

test('what was sent before is neither sent again nor is its number given again', async () => {
  const device = phone();
  const first = await started(device);
  const sent = await captureMany(first.sync, 2);
  await runToTheEnd(first.sync, device);
  const pushes = device.server.pushes.length;
  first.life.kill();
  device.loseStorage();
  const { sync } = device.boot();
  const next = await sync.capture(capture());
  expect(next.device_seq).toBe(3);
  await expectAllSent(
    sync,
    device,
    [...sent, next].map((event) => event.event_id),
  );
  expect(device.server.pushes.slice(pushes).flat()).toHaveLength(1);
});

test('the storage is lost, and the phone dies at any step of bringing it back', async () => {
  let deaths = 0;
  for (let killAt = 1; ; killAt += 1) {
    const device = phone();
    const first = await started(device);
    const kept = await captureMany(first.sync, 2, () => ({
      pictures: [picture('photo', 40_000), picture('preview', 2_000)],
    }));
    first.life.kill();
    device.loseStorage();
    const second = device.boot(killAt);
    await second.sync.status(PERSON).catch(() => undefined);
    const died = second.life.dead;
    if (died) deaths += 1;
    else second.life.kill();
    const { sync } = device.boot();
    const ids = kept.map((event) => event.event_id);
    expect((await sync.status(PERSON)).waiting.count, `step ${killAt}`).toBe(2);
    await expectAllSent(sync, device, ids);
    if (!died) break;
  }
  process.stdout.write(`copy: died at each of ${deaths} steps of bringing a storage back\n`);
  expect(deaths).toBeGreaterThan(30);
});

test('a phone of the version before gets its copy at the next start', async () => {
  const device = phone();
  const before = device.boot(null, { copies: Promise.resolve(null) });
  const kept = await captureMany(before.sync, 3);
  before.life.kill();
  (await started(device)).life.kill();
  device.loseStorage();
  await expectAllSent(
    device.boot().sync,
    device,
    kept.map((event) => event.event_id),
  );
});

test('a copy that lacks something never comes back, and keeps nobody from working', async () => {
  const device = phone();
  const first = await started(device);
  await first.sync.capture(capture());
  // The bucket takes nothing more; the first files do.
  const full = { copies: Promise.resolve(noRoomIn(device)) };
  const second = device.boot(null, full);
  await second.sync.capture(capture());
  await second.sync.capture(capture());
  expect((await second.sync.status(PERSON)).waiting.count).toBe(3);
  expect(await device.mayLoseStorage()).toBe(false);
  second.life.kill();
  (await started(device)).life.kill();
  device.loseStorage();
  expect((await device.boot().sync.status(PERSON)).waiting.count).toBe(3);
});

test('a full phone gives up the copy first, and what is captured has its room', async () => {
  const device = phone();
  const { sync } = await started(device);
  await sync.run({ eager: true });
  let left = 1;
  device.writeFault = () => (device.bucketIsEmpty() || (left -= 1) < 0 ? null : noRoom());
  await sync.capture(capture());
  expect(device.bucketIsEmpty()).toBe(true);
  expect((await sync.status(PERSON)).waiting.count).toBe(1);
});

test('what has no room to come back stays in the copy until there is some', async () => {
  const device = phone();
  const first = await started(device);
  await captureMany(first.sync, 2);
  first.life.kill();
  device.loseStorage();
  const full = device.boot();
  device.writeFault = noRoom;
  await expect(full.sync.capture(capture())).rejects.toThrow(StorageFull);
  await expect(full.sync.status(PERSON)).rejects.toThrow(StorageFull);
  device.writeFault = () => null;
  expect((await full.sync.status(PERSON)).waiting.count).toBe(2);
  expect((await full.sync.capture(capture())).device_seq).toBe(3);
});

const noRoom = (): DOMException => new DOMException('No room.', 'QuotaExceededError');

function noRoomIn(device: Device): Copy {
  const broken = new Database(device.bucket.storage);
  broken.connection = () => Promise.reject(noRoom());
  return new Copy(broken, () => Promise.resolve(device.loseBucket()));
}

test('what is taken back is taken back in the copy, its number too', async () => {
  const device = phone();
  const first = await started(device);
  const kept = await first.sync.capture(capture());
  const undone = await first.sync.capture(capture({ undo_ms: 10_000 }));
  const clock = { now: () => EPOCH + device.elapsed, mono: () => 0 };
  expect(await new Undo(clock, first.sync.database).take(undone.event_id)).toBe(true);
  first.life.kill();
  device.loseStorage();
  const { sync } = device.boot();
  const next = await sync.capture(capture());
  expect(next.device_seq).toBe(2);
  await expectAllSent(sync, device, [kept.event_id, next.event_id]);
});
