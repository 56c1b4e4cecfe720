import { expect, test } from 'vitest';

import { StorageFull } from '../../src/shared/sync/database';
import { capture, PERSON, phone, runToTheEnd } from '../support/captures';

const noRoom = (): DOMException => new DOMException('No room.', 'QuotaExceededError');

test('a phone without room hands in what it has on the room that was kept for it', async () => {
  const device = phone();
  const { sync } = device.boot();
  await sync.run({ eager: true });
  await sync.capture(capture());

  device.writeFault = noRoom;
  await expect(sync.capture(capture())).rejects.toThrow(StorageFull);
  let refused = 0;
  device.writeFault = () => ((refused += 1) === 1 ? noRoom() : null);
  await runToTheEnd(sync, device);
  expect(device.server.events.size).toBe(1);
  expect(await sync.status(PERSON)).toMatchObject({ waiting: { count: 0 }, confirmed: 1 });
});

test('the room is used up once, and filled again when nothing waits', async () => {
  const device = phone();
  const { sync } = device.boot(null, { copies: Promise.resolve(null) });
  const fails = async (): Promise<boolean> => {
    await sync.capture(capture());
    let left = 1;
    device.writeFault = () => ((left -= 1) === 0 ? noRoom() : null);
    const failed = await sync.run({ eager: true }).then(
      () => false,
      (failure: unknown) => failure instanceof StorageFull,
    );
    device.writeFault = () => null;
    return failed;
  };
  expect(await fails()).toBe(true);
  await runToTheEnd(sync, device);
  expect(await fails()).toBe(false);
  expect(await fails()).toBe(false);
});
