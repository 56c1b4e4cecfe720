import { expect, test } from 'vitest';

import { Drafts } from '../../src/shared/sync/drafts';
import { StorageFull } from '../../src/shared/sync/database';
import type { DraftPicture } from '../../src/shared/sync/schema';
import { Undo, UNDO_MS } from '../../src/shared/sync/undo';
import { EPOCH, plainNetwork, type Device } from '../support/device';
import { capture, PERSON, phone } from '../support/captures';

const KEY = 'stop:1:deliver';

function taken(sha256: string): Omit<DraftPicture, 'person_id' | 'key'> {
  return { sha256, kind: 'photo', mime: 'image/jpeg', bytes: new ArrayBuffer(4_000) };
}

function undoOn(device: Device) {
  const { sync } = device.boot();
  const clock = { now: () => EPOCH + device.elapsed + device.skew, mono: () => device.elapsed };
  return { sync, drafts: new Drafts(sync.database), undo: new Undo(clock, sync.database) };
}

const nothing = (): void => undefined;
const noSignal = (): Promise<never> => Promise.reject(new TypeError('No signal.'));

test('what was filled in is there after the page has died, with its pictures', async () => {
  const device = phone();
  const before = new Drafts(device.boot().sync.database);
  await before.write({ person_id: PERSON, key: KEY, value: { a: 1 } }, [taken('one')]);
  const after = new Drafts(device.boot().sync.database);
  expect(await after.read(PERSON, KEY)).toEqual({ a: 1 });
  expect((await after.picture(PERSON, KEY, 'one'))?.bytes.byteLength).toBe(4_000);
  expect(await after.read('somebody else', KEY)).toBeNull();
});

test('what nobody will finish is swept with its pictures, and nothing else', async () => {
  const { drafts } = undoOn(phone());
  for (const [person_id, key] of [
    [PERSON, KEY],
    [PERSON, 'stop:2:deliver'],
    ['somebody else', 'stop:2:deliver'],
  ] as const) {
    await drafts.write({ person_id, key, value: 1 }, [taken(`of ${key}`)]);
  }
  await drafts.sweep(PERSON, ({ key }) => key.startsWith('stop:2:'));
  expect(await drafts.read(PERSON, KEY)).toBe(1);
  expect(await drafts.picture(PERSON, KEY, `of ${KEY}`)).toBeDefined();
  expect(await drafts.read(PERSON, 'stop:2:deliver')).toBeNull();
  expect(await drafts.picture(PERSON, 'stop:2:deliver', 'of stop:2:deliver')).toBeUndefined();
  expect(await drafts.read('somebody else', 'stop:2:deliver')).toBe(1);
});

test('a picture that is taken again leaves none of the first one', async () => {
  const { drafts } = undoOn(phone());
  const draft = { person_id: PERSON, key: KEY, value: null };
  await drafts.write(draft, [taken('one')]);
  await drafts.write(draft, [taken('two')], ['one']);
  expect(await drafts.picture(PERSON, KEY, 'one')).toBeUndefined();
  expect(await drafts.picture(PERSON, KEY, 'two')).toBeDefined();
});

test('a full phone keeps the draft as it was', async () => {
  const device = phone();
  const { drafts } = undoOn(device);
  await drafts.write({ person_id: PERSON, key: KEY, value: 'before' });
  device.writeFault = () => new DOMException('No room.', 'QuotaExceededError');
  const refused = drafts.write({ person_id: PERSON, key: KEY, value: 'after' }, [taken('one')]);
  await expect(refused).rejects.toThrow(StorageFull);
  device.writeFault = () => null;
  expect(await drafts.read(PERSON, KEY)).toBe('before');
});

test('a capture ends its draft and takes the pictures over that its payload names', async () => {
  const device = phone();
  const { sync, drafts } = undoOn(device);
  const pictures = [taken('one'), taken('two')];
  await drafts.write({ person_id: PERSON, key: KEY, value: {} }, pictures);
  await sync.capture(capture({ draft: KEY, payload: { photos: [{ sha256: 'one' }] } }));
  expect(await drafts.read(PERSON, KEY)).toBeNull();
  expect(await drafts.picture(PERSON, KEY, 'two')).toBeUndefined();
  expect(await sync.status(PERSON)).toMatchObject({
    waiting: { count: 1 },
    pictures_waiting: { count: 1, bytes: 4_000 },
  });
});

test('a capture that may be taken back is sent once the time is over', async () => {
  const device = phone();
  const { sync, undo } = undoOn(device);
  device.signIn(PERSON);
  const event = await sync.capture(capture({ undo_ms: UNDO_MS }));
  expect(await undo.pending(PERSON)).toMatchObject({ event_id: event.event_id });
  expect(await sync.run({ eager: false })).toBeLessThanOrEqual(UNDO_MS);
  expect((await sync.status(PERSON)).waiting.count).toBe(1);
  device.elapsed += UNDO_MS + 1;
  expect(await undo.pending(PERSON)).toBeNull();
  expect(await undo.take(event.event_id)).toBe(false);
  await sync.run({ eager: true });
  expect((await sync.status(PERSON)).confirmed).toBe(1);
});

test('taking back leaves everything as it was: the draft, its pictures, the screens, the number', async () => {
  const device = phone();
  const { sync, drafts, undo } = undoOn(device);
  await sync.capture(capture({ changes: { 'stop:1': 'begun' } }));
  await drafts.write({ person_id: PERSON, key: KEY, value: { n: 7 } }, [taken('one')]);
  const event = await sync.capture(
    capture({
      draft: KEY,
      undo_ms: UNDO_MS,
      payload: { photos: [{ sha256: 'one' }] },
      changes: { 'stop:1': 'delivered', 'stop:2': 'next' },
    }),
  );
  expect(await undo.take(event.event_id)).toBe(true);
  expect(await undo.take(event.event_id)).toBe(false);
  expect(await sync.state(PERSON)).toEqual(new Map([['stop:1', 'begun']]));
  expect(await drafts.read(PERSON, KEY)).toEqual({ n: 7 });
  expect(await drafts.picture(PERSON, KEY, 'one')).toBeDefined();
  expect(await sync.status(PERSON)).toMatchObject({
    waiting: { count: 1 },
    pictures_waiting: { count: 0 },
  });
  const next = await sync.capture(capture());
  expect(next.device_seq).toBe(event.device_seq);
});

test('nothing is taken back from the middle, where it would leave a gap', async () => {
  const device = phone();
  const { sync, undo } = undoOn(device);
  const event = await sync.capture(capture({ undo_ms: UNDO_MS }));
  await sync.capture(capture());
  expect(await undo.pending(PERSON)).toBeNull();
  expect(await undo.take(event.event_id)).toBe(false);
  expect((await sync.status(PERSON)).waiting.count).toBe(2);
});

test('a page that did not get the lock looks again soon, also after hours without a signal', async () => {
  const device = phone();
  const { sync } = undoOn(device);
  device.signIn(PERSON);
  device.network = noSignal;
  await sync.run({ eager: true });
  device.elapsed += 60 * 60_000;
  await sync.capture(capture({ undo_ms: UNDO_MS }));
  let free = nothing;
  const held = new Promise<void>((resolve) => (free = resolve));
  device.network = async (request, server) => {
    await held;
    return plainNetwork(request, server);
  };
  // The worker is woken by the browser at the same moment, and it was faster.
  const worker = device.boot().sync.run({ eager: true });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await sync.run({ eager: false })).toBeLessThanOrEqual(UNDO_MS);
  free();
  await worker;
});

test('a clock that is set back does not hold a capture for days', async () => {
  const device = phone();
  const { sync, undo } = undoOn(device);
  device.signIn(PERSON);
  await sync.capture(capture({ undo_ms: UNDO_MS }));
  device.skew -= 3 * 24 * 60 * 60_000;
  expect(await undo.pending(PERSON)).toBeNull();
  await sync.run({ eager: true });
  expect((await sync.status(PERSON)).confirmed).toBe(1);
});
