import { describe, expect, test } from 'vitest';

import { capture, captureMany, PERSON, phone, picture, runToTheEnd } from '../support/captures';
import { plainNetwork } from '../support/device';

const MINUTE = 60_000;

describe('what a phone says of itself', () => {
  test('a push says what stays once it is through', async () => {
    const device = phone();
    const { sync } = device.boot();
    await sync.capture(capture({ pictures: [picture('preview', 30_000)] }));
    device.elapsed += 7_000;
    await sync.run({ eager: false });
    expect(device.server.reports[0]).toEqual({
      entries: 0,
      entry_bytes: 0,
      pictures: 1,
      picture_bytes: 30_000,
      quarantined: 0,
      oldest_age_ms: 7_000,
      storage_used: 1_000,
      storage_quota: 1_000_000,
      storage_persisted: true,
      clock_offset_ms: null,
    });
  });

  test('what waits behind a batch counts, with its age', async () => {
    const device = phone();
    const { sync } = device.boot();
    await captureMany(sync, 250);
    device.elapsed += MINUTE;
    await runToTheEnd(sync, device);
    const told = device.server.reports.map((report) => report?.entries);
    expect(told).toEqual([150, 50, 0]);
    expect(device.server.reports[0]?.oldest_age_ms).toBe(MINUTE);
    expect(device.server.reports.at(-1)?.oldest_age_ms).toBe(null);
  });

  test('the clock is told as the server corrected it, and a capture that needs a person', async () => {
    const device = phone();
    device.skew = 600_000;
    const { sync } = device.boot();
    await sync.capture(capture({ payload: { verdict: 'rejected' } }));
    await sync.run({ eager: false });
    await sync.capture(capture());
    await sync.run({ eager: false });
    expect(device.server.reports.at(-1)).toMatchObject({
      clock_offset_ms: 600_000,
      quarantined: 1,
    });
  });

  test('a browser that cannot say how full it is sends all the same', async () => {
    const device = phone();
    const { sync } = device.boot(null, { gauge: () => Promise.reject(new TypeError('not here')) });
    await sync.capture(capture());
    await sync.run({ eager: false });
    expect(device.server.reports).toMatchObject([{ storage_used: null, storage_persisted: null }]);
    expect((await sync.status(PERSON)).confirmed).toBe(1);
  });
});

describe('how often it says so', () => {
  test('nothing more goes out where something is sent anyway', async () => {
    const device = phone();
    const { sync } = device.boot();
    for (let round = 0; round < 10; round += 1) {
      await sync.capture(capture());
      expect(await sync.run({ eager: false })).toBe(null);
      device.elapsed += 4 * MINUTE;
    }
    expect(device.server.reports).toHaveLength(10);
    expect(device.server.pushes).toHaveLength(10);
  });

  test('an idle phone says it at most every five minutes, also when it restarts', async () => {
    const device = phone();
    for (let minute = 0; minute < 20; minute += 1) {
      await device.boot().sync.run({ eager: true });
      device.elapsed += MINUTE;
    }
    expect(device.server.pushes).toEqual([]);
    expect(device.server.reports).toHaveLength(4);
  });

  test('the office hears when the last picture is in, and not at every one', async () => {
    const device = phone();
    const { sync } = device.boot();
    for (let round = 0; round < 4; round += 1) {
      await sync.capture(capture({ pictures: [picture('photo', 20_000, round)] }));
      await sync.run({ eager: false });
      device.elapsed += MINUTE;
    }
    const told = (): (number | undefined)[] => device.server.reports.map((one) => one?.pictures);
    expect(told()).toEqual([1, 0, 1, 1, 1]);
    // The timer of the page runs until the office knows.
    await runToTheEnd(sync, device);
    expect(told()).toEqual([1, 0, 1, 1, 1, 0]);
    expect(await sync.run({ eager: false })).toBe(null);
  });

  test('a report that did not get through is due again', async () => {
    const device = phone();
    const { sync } = device.boot();
    device.network = () => Promise.reject(new TypeError('Failed to fetch'));
    await sync.run({ eager: true });
    device.network = plainNetwork;
    await sync.run({ eager: true });
    expect(device.server.reports).toHaveLength(1);
  });

  test('a second person is spoken for by no report of the first', async () => {
    const device = phone();
    const { sync } = device.boot();
    await captureMany(sync, 2);
    device.signIn('binu');
    await sync.run({ eager: true });
    expect(device.server.reports).toMatchObject([{ entries: 0, oldest_age_ms: null }]);
  });
});

test('a version that is too old keeps its outbox, says so on both lines, and sends when updated', async () => {
  const device = phone();
  const old = device.boot(null, { app_version: '1.9.4' });
  const versions: (string | undefined)[] = [];
  device.network = async (request, server) => {
    const pulls = request.url.startsWith('/field/sync/pull');
    if (pulls) versions.push(request.headers['Doorstep-App-Version']);
    const have = pulls
      ? request.headers['Doorstep-App-Version']
      : (JSON.parse(String(request.body)) as { app_version: string }).app_version;
    if (have !== '1.10.0') {
      return { status: 426, body: { type: '/problems/app-too-old', have, wanted: '1.10.0' } };
    }
    return server.handle(request);
  };
  // A pull alone is told so too.
  await old.sync.run({ eager: true });
  expect((await old.sync.status(PERSON)).problems).toEqual(['update']);
  await captureMany(old.sync, 3);
  for (let round = 0; round < 12; round += 1) {
    await old.sync.run({ eager: true });
    device.elapsed += 5 * MINUTE;
  }
  expect(await old.sync.status(PERSON)).toMatchObject({
    waiting: { count: 3 },
    needs_attention: 0,
    problems: ['update'],
  });
  expect(versions).toContain('1.9.4');
  const updated = device.boot(null, { app_version: '1.10.0' }).sync;
  await runToTheEnd(updated, device);
  expect(await updated.status(PERSON)).toMatchObject({
    waiting: { count: 0 },
    confirmed: 3,
    problems: [],
  });
  expect(versions).toContain('1.10.0');
});
