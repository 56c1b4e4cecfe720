import { describe, expect, test } from 'vitest';

import { plainNetwork } from '../support/device';
import { Killed } from '../support/life';
import { capture, captureMany, PERSON, phone, runToTheEnd } from '../support/captures';

const STATUSES = [401, 403, 404, 408, 409, 426, 429, 500, 502, 503, 504];

describe('what the server or the line says never costs an entry', () => {
  test.each([...STATUSES, null])('%s', async (status) => {
    const device = phone();
    const { sync } = device.boot();
    await captureMany(sync, 3);
    device.canRenew = false;
    device.network = () => {
      if (status === null) return Promise.reject(new TypeError('Failed to fetch'));
      return Promise.resolve({ status });
    };
    for (let round = 0; round < 12; round += 1) {
      await sync.run({ eager: true });
      device.elapsed += 5 * 60_000;
    }
    const found = await sync.status(PERSON);
    expect(found).toMatchObject({ waiting: { count: 3 }, needs_attention: 0, confirmed: 0 });
    expect(found.problems).toHaveLength(1);
    device.network = plainNetwork;
    await runToTheEnd(sync, device);
    expect(await sync.status(PERSON)).toMatchObject({
      waiting: { count: 0 },
      confirmed: 3,
      problems: [],
    });
    expect(device.server.wrongs).toEqual([]);
  });
});

test('a page that answers 200 without receipts is not taken for the server', async () => {
  const device = phone();
  const { sync } = device.boot();
  await captureMany(sync, 2);
  for (const body of ['<html></html>', [], { receipts: [] }, { server_time: 'x', receipts: [] }]) {
    device.network = () => Promise.resolve({ status: 200, body });
    await sync.run({ eager: true });
  }
  expect(await sync.status(PERSON)).toMatchObject({ waiting: { count: 2 }, problems: ['server'] });
});

test('a verdict that this version does not know deletes nothing', async () => {
  const device = phone();
  const { sync } = device.boot();
  const event = await sync.capture(capture());
  const receipts = [{ event_id: event.event_id, verdict: 'later' }];
  device.network = () =>
    Promise.resolve({ status: 200, body: { server_time: '2026-11-26T10:00:00Z', receipts } });
  await sync.run({ eager: false });
  expect(await sync.status(PERSON)).toMatchObject({ waiting: { count: 1 }, confirmed: 0 });
});

test('batches keep to 100 events and 200 kB, and lanes to their order', async () => {
  const device = phone();
  const { sync } = device.boot();
  const words = 'ü'.repeat(1_500);
  await captureMany(sync, 250, (index) => ({ lane: `stop:${index % 3}`, payload: { words } }));
  await captureMany(sync, 150, (index) => ({ lane: `stop:${index % 3}` }));
  await runToTheEnd(sync, device);
  expect(device.server.events.size).toBe(400);
  expect(device.server.wrongs).toEqual([]);
  expect(Math.max(...device.server.pushes.map((events) => events.length))).toBe(100);
});

test('two batches of different lanes are under way at a time, never two of one lane', async () => {
  const device = phone();
  const { sync } = device.boot();
  await captureMany(sync, 240, (index) => ({ lane: index < 120 ? 'stop:1' : 'stop:2' }));
  const underWay: Set<string>[] = [];
  let most = 0;
  const second = new EventTarget();
  const secondCame = new Promise((done) => second.addEventListener('came', done));
  device.network = async (request, server) => {
    const { events } = JSON.parse(String(request.body)) as { events: { lane: string }[] };
    const lanes = new Set(events.map((event) => event.lane));
    const taken = underWay.flatMap((other) => [...other]);
    expect(taken.filter((lane) => lanes.has(lane))).toEqual([]);
    underWay.push(lanes);
    most = Math.max(most, underWay.length);
    if (underWay.length === 2) second.dispatchEvent(new Event('came'));
    // The first answer comes only when the second batch is on its way too.
    await secondCame;
    underWay.splice(underWay.indexOf(lanes), 1);
    return server.handle(request);
  };
  await runToTheEnd(sync, device);
  expect(most).toBe(2);
  expect(device.server.events.size).toBe(240);
});

test('a lost answer is asked for, not sent again', async () => {
  const device = phone();
  const { sync } = device.boot();
  await captureMany(sync, 3);
  device.network = (request, server) => {
    server.handle(request);
    return Promise.reject(new TypeError('Failed to fetch'));
  };
  await sync.run({ eager: false });
  device.network = plainNetwork;
  await runToTheEnd(device.boot().sync, device);
  expect(device.server.pushes).toHaveLength(1);
  expect(await sync.status(PERSON)).toMatchObject({ waiting: { count: 0 }, confirmed: 3 });
});

test('what was under way when the page died is asked for, not sent again', async () => {
  const device = phone();
  const { sync, life } = device.boot();
  await captureMany(sync, 3);
  device.network = async (request, server) => {
    const answer = server.handle(request);
    life.kill();
    return answer;
  };
  await expect(sync.run({ eager: false })).rejects.toThrow(Killed);
  device.network = plainNetwork;
  const next = device.boot().sync;
  expect((await next.status(PERSON)).sending.count).toBe(3);
  await runToTheEnd(next, device);
  expect(device.server.pushes).toHaveLength(1);
  expect(await next.status(PERSON)).toMatchObject({ waiting: { count: 0 }, confirmed: 3 });
});

test('Retry-After is honoured, also when somebody presses the button', async () => {
  const device = phone();
  const { sync } = device.boot();
  await sync.capture(capture());
  let asked = 0;
  device.network = () => {
    asked += 1;
    return Promise.resolve({ status: 503, headers: { 'Retry-After': '120' } });
  };
  expect(await sync.run({ eager: false })).toBe(120_000);
  device.elapsed += 119_000;
  await sync.run({ eager: true });
  expect(asked).toBe(1);
  device.elapsed += 1_000;
  await sync.run({ eager: false });
  expect(asked).toBe(2);
});

test('a pause does not last days because the clock was set back', async () => {
  const device = phone();
  const { sync } = device.boot();
  await sync.capture(capture());
  device.skew = 2 * 24 * 60 * 60_000;
  device.network = () => Promise.reject(new TypeError('Failed to fetch'));
  await sync.run({ eager: false });
  device.skew = 0;
  device.network = plainNetwork;
  await sync.run({ eager: false });
  expect((await sync.status(PERSON)).confirmed).toBe(1);
});

test.each(['verdict', 'breaks', 'unreadable'])('one poison among 500: %s', async (kind) => {
  const device = phone();
  const { sync } = device.boot();
  const poison = kind === 'verdict' ? { verdict: 'rejected' } : { [kind]: true };
  const events = await captureMany(sync, 501, (index) => ({
    lane: `stop:${index % 20}`,
    payload: index === 250 ? poison : {},
  }));
  await runToTheEnd(sync, device, 200);
  expect(await sync.status(PERSON)).toMatchObject({
    waiting: { count: 0 },
    confirmed: 500,
    needs_attention: 1,
  });
  const [row] = await sync.quarantine(PERSON);
  expect(row?.event).toEqual(events[250]);
  expect(row?.reason).toBe(
    { verdict: 'not_possible', breaks: 'refused_422', unreadable: 'not_json' }[kind],
  );
  expect(device.server.wrongs).toEqual([]);
});

test('what only this phone has can be sent again once its cause is mended', async () => {
  const device = phone();
  const { sync } = device.boot();
  const event = await sync.capture(capture());
  device.network = () => Promise.resolve({ status: 422 });
  await runToTheEnd(sync, device);
  expect(await sync.quarantine(PERSON)).toHaveLength(1);
  device.network = plainNetwork;
  expect(await sync.release(event.event_id)).toBe(true);
  await runToTheEnd(sync, device);
  expect(device.server.events.get(event.event_id)?.event).toEqual(event);
  expect(await sync.quarantine(PERSON)).toEqual([]);
});

test('what the server has rejected is put away once its person has seen it, and nothing else', async () => {
  const device = phone();
  const { sync } = device.boot();
  const event = await sync.capture(capture({ payload: { verdict: 'rejected' } }));
  await runToTheEnd(sync, device);
  device.network = () => Promise.resolve({ status: 422 });
  const only = await sync.capture(capture());
  await runToTheEnd(sync, device);
  expect(await sync.dismiss(only.event_id)).toBe(false);
  expect(await sync.dismiss(event.event_id)).toBe(true);
  expect(await sync.dismiss(event.event_id)).toBe(false);
  expect((await sync.quarantine(PERSON)).map((row) => row.event_id)).toEqual([only.event_id]);
});

test("a second person neither sees nor sends the first one's captures", async () => {
  const device = phone();
  const { sync } = device.boot();
  await sync.capture(capture({ changes: { job: 'done' } }));
  device.signIn('binu');
  expect(await sync.run({ eager: true })).toBe(null);
  expect(await sync.state('binu')).toEqual(new Map());
  expect(await sync.status('binu')).toMatchObject({
    waiting: { count: 0 },
    oldest_captured_ms: null,
  });
  expect(device.server.pushes).toEqual([]);
  device.signIn(PERSON);
  await sync.run({ eager: true });
  expect((await sync.status(PERSON)).confirmed).toBe(1);
});

test('an ended session never stops work; what was captured goes after the next sign-in', async () => {
  const device = phone();
  const { sync } = device.boot();
  device.session = null;
  await captureMany(sync, 2);
  await sync.run({ eager: true });
  expect(await sync.status(PERSON)).toMatchObject({ waiting: { count: 2 }, problems: ['sign_in'] });
  device.signIn(PERSON);
  await sync.run({ eager: true });
  expect(await sync.status(PERSON)).toMatchObject({ confirmed: 2, problems: [] });
});

test('a token that ended is renewed on the way', async () => {
  const device = phone();
  const { sync } = device.boot();
  await sync.capture(capture());
  device.server.tokens.clear();
  await sync.run({ eager: false });
  expect(await sync.status(PERSON)).toMatchObject({ confirmed: 1, problems: [] });
});

test('nothing is sent in the name of somebody who signs in meanwhile', async () => {
  const device = phone();
  const renew = async (): Promise<boolean> => {
    device.signIn('binu');
    return true;
  };
  const sessions = {
    current: () => Promise.resolve(device.session),
    renew,
    shutOut: () => Promise.resolve(null),
    signOut: () => Promise.resolve(),
  };
  const { sync } = device.boot(null, { sessions });
  await sync.capture(capture());
  device.server.tokens.clear();
  await sync.run({ eager: true });
  expect(device.server.pushes).toEqual([]);
  expect((await sync.status(PERSON)).waiting.count).toBe(1);
});

test('one page sends at a time', async () => {
  const device = phone();
  const pages = [device.boot().sync, device.boot().sync];
  await captureMany(pages[0]!, 5);
  let underWay = 0;
  device.network = async (request, server) => {
    underWay += 1;
    expect(underWay).toBe(1);
    await new Promise((done) => setTimeout(done, 5));
    underWay -= 1;
    return server.handle(request);
  };
  await Promise.all(pages.map((sync) => sync.run({ eager: true })));
  expect(device.server.pushes).toHaveLength(1);
});

test('a request without an answer is given up in time', async () => {
  const device = phone();
  const waiting: (() => void)[] = [];
  const timers = {
    after: (_ms: number, callback: () => void) => {
      waiting.push(callback);
      return () => undefined;
    },
  };
  const fetch = (_url: string, init: RequestInit): Promise<Response> =>
    new Promise((_answer, fail) => {
      init.signal?.addEventListener('abort', () => fail(new DOMException('', 'AbortError')));
      for (const callback of waiting.splice(0)) callback();
    });
  const { sync } = device.boot(null, { timers, fetch });
  await sync.capture(capture());
  await sync.run({ eager: false });
  expect(await sync.status(PERSON)).toMatchObject({
    waiting: { count: 1 },
    problems: ['no_answer'],
  });
});

test('receipts are kept for seven days', async () => {
  const device = phone();
  const { sync } = device.boot();
  await sync.capture(capture());
  await sync.run({ eager: false });
  device.elapsed += 7 * 24 * 60 * 60_000 - 1;
  await sync.run({ eager: false });
  expect((await sync.status(PERSON)).confirmed).toBe(1);
  device.elapsed += 1;
  await sync.run({ eager: false });
  expect((await sync.status(PERSON)).confirmed).toBe(0);
});

test.each([true, false])(
  'what a sender had in hand when it died goes on at once where locks reach across pages: %s',
  async (across_pages) => {
    const device = phone();
    const { sync, life } = device.boot();
    await captureMany(sync, 3);
    device.network = async () => {
      life.kill();
      throw new TypeError('Failed to fetch');
    };
    await expect(sync.run({ eager: true })).rejects.toThrow(Killed);
    device.network = plainNetwork;
    const next = device.boot();
    const locks = { ...next.life.locks(device.locks), across_pages };
    const after = device.boot(null, { locks });
    await after.sync.run({ eager: true });
    const waiting = { count: across_pages ? 0 : 3 };
    expect(await after.sync.status(PERSON)).toMatchObject(
      across_pages ? { waiting } : { sending: waiting },
    );
    expect(device.server.wrongs).toEqual([]);
  },
);
