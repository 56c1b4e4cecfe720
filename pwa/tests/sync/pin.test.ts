import { IDBFactory as Storage } from 'fake-indexeddb';
import { expect, test } from 'vitest';

import { Database } from '../../src/shared/sync/database';
import { ATTEMPTS, ITERATIONS, PinLock } from '../../src/shared/sync/pin';
import { capture, PERSON, phone } from '../support/captures';

const FEW = 1_000;

function lock(storage: IDBFactory = new Storage(), iterations = FEW): PinLock {
  const database = new Database(storage);
  return new PinLock(crypto, () => database, iterations);
}

function bytes(row: unknown): Buffer {
  return Buffer.from((row as { hash: ArrayBuffer }).hash);
}

test('the right PIN opens the screen, and forgives the wrong ones', async () => {
  const pins = lock();
  await pins.set('amal', '123456');
  for (let wrong = 1; wrong < ATTEMPTS; wrong += 1) {
    expect(await pins.unlock('amal', '000000')).toEqual({ open: false, left: ATTEMPTS - wrong });
  }
  expect(await pins.unlock('amal', '123456')).toEqual({ open: true });
  expect(await pins.unlock('amal', '000000')).toEqual({ open: false, left: ATTEMPTS - 1 });
});

test('after ten wrong ones only a sign-in opens it, also after a restart', async () => {
  const storage = new Storage();
  await lock(storage).set('amal', '123456');
  const tries = Array.from({ length: ATTEMPTS + 3 }, () => lock(storage).unlock('amal', '000000'));
  const answers = await Promise.all(tries);
  expect(answers.filter((answer) => answer.open === 'sign_in')).toHaveLength(4);
  expect(await lock(storage).unlock('amal', '123456')).toEqual({ open: 'sign_in' });
  await lock(storage).set('amal', '123456');
  expect(await lock(storage).unlock('amal', '123456')).toEqual({ open: true });
});

test('it is of one person, is not stored, and outlives a change of its cost', async () => {
  const storage = new Storage();
  await lock(storage).set('amal', '123456');
  await lock(storage).set('binu', '123456');
  expect(await lock(storage, ITERATIONS).unlock('amal', '123456')).toEqual({ open: true });
  expect(await lock(storage).unlock('chandra', '123456')).toEqual({ open: 'sign_in' });
  const [amal, binu] = await new Database(storage).read(['meta'], (transaction) =>
    Promise.all(['amal', 'binu'].map((who) => transaction.objectStore('meta').get(`pin:${who}`))),
  );
  expect(bytes(amal).equals(bytes(binu))).toBe(false);
  expect(bytes(amal)).toHaveLength(32);
});

test('a locked screen stops neither captures nor the sync', async () => {
  const device = phone();
  const { sync } = device.boot();
  const pins = lock(device.storage);
  await pins.set(PERSON, '123456');
  for (let wrong = 0; wrong < ATTEMPTS; wrong += 1) await pins.unlock(PERSON, '000000');
  await sync.capture(capture());
  await sync.run({ eager: false });
  expect((await sync.status(PERSON)).confirmed).toBe(1);
});
