import { expect, test } from 'vitest';

import { REQUEST_TIMEOUT_MS } from '../../src/shared/sync/line';
import type { Sync } from '../../src/shared/sync/sync';
import { readPull } from '../../src/shared/sync/wire';
import { capture, PERSON, phone } from '../support/captures';
import { plainNetwork, type Device } from '../support/device';

const STOP = { address: { floor: '4' }, state: 'open' };

/** What a screen shows of a stop: the server's word, and over it what a capture has changed. */
async function shown(sync: Sync, id: string): Promise<unknown> {
  const { documents, changes } = await sync.work(PERSON);
  const document = documents.find((one) => one.kind === 'stop' && one.id === id);
  return changes.get(`stop:${id}`) ?? document?.body['state'];
}

async function names(sync: Sync, person = PERSON): Promise<string[]> {
  return (await sync.work(person)).documents.map(({ kind, id }) => `${kind}/${id}`);
}

function withoutRoom(device: Device): () => void {
  device.writeFault = () => new DOMException('No room.', 'QuotaExceededError');
  return () => void (device.writeFault = () => null);
}

test('work comes to the phone, changes there, and goes from it', async () => {
  const device = phone();
  const { sync } = device.boot();
  device.server.edit(PERSON, 'stop', '1', STOP);
  device.server.edit(PERSON, 'visit', '2', { number: 'DS-2' });
  await sync.run({ eager: false });
  expect(await names(sync)).toEqual(['stop/1', 'visit/2']);
  device.server.edit(PERSON, 'stop', '1', { ...STOP, address: { floor: '9' } });
  device.server.edit(PERSON, 'visit', '2', null);
  await sync.run({ eager: false });
  const { documents, pulled_ms } = await sync.work(PERSON);
  expect(documents.map((one) => one.body)).toEqual([{ ...STOP, address: { floor: '9' } }]);
  expect(pulled_ms).not.toBeNull();
  expect(device.server.pulls[0]).toBeNull();
  expect(device.server.handedOut.has(device.server.pulls[1] ?? '')).toBe(true);
});

test('an answer for everything replaces everything', async () => {
  const device = phone();
  const { sync } = device.boot();
  device.server.edit(PERSON, 'stop', '1', STOP);
  await sync.run({ eager: false });
  for (const cursor of device.server.handedOut.keys()) device.server.forgotten.add(cursor);
  device.server.edit(PERSON, 'stop', '1', null);
  device.server.edit(PERSON, 'stop', '2', STOP);
  await sync.run({ eager: false });
  expect(await names(sync)).toEqual(['stop/2']);
});

test('an answer that was lost is asked for with the old cursor again', async () => {
  const device = phone();
  const { sync } = device.boot();
  device.server.edit(PERSON, 'stop', '1', STOP);
  await sync.run({ eager: false });
  device.server.edit(PERSON, 'stop', '2', STOP);
  device.network = (request, server) => {
    server.handle(request);
    return Promise.reject(new TypeError('Failed to fetch'));
  };
  await sync.run({ eager: false });
  expect(await names(sync)).toEqual(['stop/1']);
  expect((await sync.status(PERSON)).problems).toEqual(['no_answer']);
  device.network = plainNetwork;
  device.server.edit(PERSON, 'stop', '1', null);
  device.elapsed += REQUEST_TIMEOUT_MS;
  await sync.run({ eager: true });
  expect(await names(sync)).toEqual(['stop/2']);
  expect((await sync.status(PERSON)).problems).toEqual([]);
});

test('what was done on the phone is shown until documents of later know of it', async () => {
  const device = phone();
  const { sync } = device.boot();
  device.server.edit(PERSON, 'stop', '1', STOP);
  await sync.run({ eager: false });
  await sync.capture(capture({ changes: { 'stop:1': 'delivered' } }));
  expect(await shown(sync, '1')).toBe('delivered');
  // The push fails, and an older document comes: what was done stays done.
  device.network = async (request, server) =>
    request.url.startsWith('/field/sync/push') ? { status: 500 } : server.handle(request);
  device.server.edit(PERSON, 'stop', '1', { ...STOP, address: { floor: '9' } });
  for (let round = 0; round < 3; round += 1) {
    await sync.run({ eager: true });
    device.elapsed += 10 * 60_000;
    expect(await shown(sync, '1')).toBe('delivered');
  }
  // The receipt comes while the pull fails: still nothing newer is known.
  device.network = async (request, server) =>
    request.url.startsWith('/field/sync/pull') ? { status: 503 } : server.handle(request);
  await sync.run({ eager: true });
  expect((await sync.status(PERSON)).confirmed).toBe(1);
  expect(await shown(sync, '1')).toBe('delivered');
  // Documents that were asked for after the receipt are the truth, whatever they say.
  device.network = plainNetwork;
  device.elapsed += 10 * 60_000;
  device.server.edit(PERSON, 'stop', '1', { ...STOP, state: 'removed' });
  await sync.run({ eager: true });
  expect(await shown(sync, '1')).toBe('removed');
  expect((await sync.work(PERSON)).changes).toEqual(new Map());
});

test('what is new while another page is at its pull comes by a run that was asked for it', async () => {
  const device = phone();
  const [page, worker] = [device.boot().sync, device.boot().sync];
  const told: Promise<unknown>[] = [];
  device.network = (request, server) => {
    const answer = server.handle(request);
    if (request.url.startsWith('/field/sync/pull') && told.length === 0) {
      // The answer to the page is on its way when the office has news, and says so to the worker.
      server.edit(PERSON, 'stop', '1', STOP);
      told.push(worker.run({ eager: true }));
    }
    return Promise.resolve(answer);
  };
  await page.run({ eager: false });
  await Promise.all(told);
  expect(await names(page)).toEqual(['stop/1']);
});

test('a capture that is made while the pull is under way is not taken for known', async () => {
  const device = phone();
  const { sync } = device.boot();
  await sync.capture(capture({ changes: { 'stop:1': 'arrived' } }));
  let asked = 0;
  device.network = async (request, server) => {
    const answer = server.handle(request);
    if (request.url.startsWith('/field/sync/pull') && (asked += 1) === 1) {
      await sync.capture(capture({ changes: { 'stop:1': 'delivered' } }));
      device.network = (later, other) =>
        later.url.startsWith('/field/sync/push')
          ? Promise.resolve({ status: 500 })
          : Promise.resolve(other.handle(later));
    }
    return answer;
  };
  await sync.run({ eager: false });
  expect((await sync.work(PERSON)).changes).toEqual(new Map([['stop:1', 'delivered']]));
});

test('what the server has refused is not shown over its documents, what only the phone has is', async () => {
  const device = phone();
  const { sync } = device.boot();
  device.server.edit(PERSON, 'stop', '1', STOP);
  const refused = { payload: { verdict: 'rejected' }, changes: { 'stop:1': 'delivered' } };
  await sync.capture(capture(refused));
  await sync.capture(
    capture({ lane: 'stop:2', payload: { breaks: true }, changes: { 'stop:2': 'delivered' } }),
  );
  for (let round = 0; round < 12; round += 1) {
    await sync.run({ eager: true });
    device.elapsed += 10 * 60_000;
  }
  expect((await sync.quarantine(PERSON)).map((row) => row.receipt === null)).toEqual(
    expect.arrayContaining([true, false]),
  );
  expect(await shown(sync, '1')).toBe('open');
  expect(await shown(sync, '2')).toBe('delivered');
});

test('a full phone keeps the documents and the cursor it has, and says so', async () => {
  const device = phone();
  const { sync } = device.boot(null, { copies: Promise.resolve(null) });
  device.server.edit(PERSON, 'stop', '1', STOP);
  await sync.run({ eager: false });
  const before = await sync.work(PERSON);
  device.server.edit(PERSON, 'stop', '1', null);
  for (let id = 2; id < 6; id += 1) device.server.edit(PERSON, 'stop', String(id), STOP);
  for (let write = 1; write <= 5; write += 1) {
    let left = write;
    device.writeFault = () =>
      (left -= 1) === 0 ? new DOMException('No room.', 'QuotaExceededError') : null;
    await sync.run({ eager: true });
    expect(await sync.work(PERSON), `write ${write}`).toEqual(before);
    expect((await sync.status(PERSON)).problems).toEqual(['no_room']);
  }
  const asked = device.server.pulls.length;
  const found = withoutRoom(device);
  await sync.run({ eager: false });
  expect(device.server.pulls).toHaveLength(asked);
  found();
  device.elapsed += 10 * 60_000;
  await sync.run({ eager: false });
  expect(device.server.pulls.at(-1)).toBe(device.server.pulls[1]);
  expect(await names(sync)).toEqual(['stop/2', 'stop/3', 'stop/4', 'stop/5']);
  expect((await sync.status(PERSON)).problems).toEqual([]);
});

test('nobody sees the work of somebody else, and finds the own one again', async () => {
  const device = phone();
  const { sync } = device.boot();
  device.server.edit(PERSON, 'stop', '1', STOP);
  device.server.edit('binu', 'stop', '1', { ...STOP, secret: 'of binu' });
  await sync.run({ eager: false });
  device.signIn('binu');
  await sync.run({ eager: false });
  expect(JSON.stringify(await sync.work(PERSON))).not.toContain('of binu');
  expect((await sync.work('binu')).documents).toHaveLength(1);
  expect(await names(sync, 'nobody')).toEqual([]);
  device.signIn(PERSON);
  device.network = () => Promise.reject(new TypeError('Failed to fetch'));
  await sync.run({ eager: false });
  expect(await names(sync)).toEqual(['stop/1']);
});

test.each<[string, (body: Record<string, unknown>) => unknown]>([
  ['of a captive portal', () => '<html>Please accept our terms.</html>'],
  ['for another person', (body) => ({ ...body, person_id: 'binu' })],
  ['to another cursor', (body) => ({ ...body, since: 'f'.repeat(64), full: false })],
  ['without a cursor', (body) => ({ ...body, cursor: undefined })],
  ['that contradicts itself', (body) => ({ ...body, full: true, since: 'x' })],
  ['with a broken document', (body) => ({ ...body, upserts: [{ kind: 'stop', id: '9' }] })],
  ['with a broken tombstone', (body) => ({ ...body, tombstones: [{ kind: 'stop' }] })],
  ['of no time', (body) => ({ ...body, server_time: 'soon' })],
])('an answer %s changes nothing', async (_name, spoil) => {
  const device = phone();
  const { sync } = device.boot();
  device.server.edit(PERSON, 'stop', '1', STOP);
  await sync.run({ eager: false });
  const before = await sync.work(PERSON);
  device.server.edit(PERSON, 'stop', '1', null);
  device.network = async (request, server) => {
    const answer = server.handle(request);
    const body = spoil(answer.body as Record<string, unknown>);
    return request.url.startsWith('/field/sync/pull') ? { ...answer, body } : answer;
  };
  await sync.run({ eager: false });
  expect(await sync.work(PERSON)).toEqual(before);
  expect((await sync.status(PERSON)).problems).toEqual(['server']);
  device.network = plainNetwork;
  await sync.run({ eager: true });
  expect(await names(sync)).toEqual([]);
});

test('a kind of document that this version does not know is kept for the one that does', () => {
  const answer = {
    person_id: PERSON, since: null, cursor: 'c', full: true,
    server_time: '2026-11-26T10:00:00Z', tombstones: [],
    upserts: [{ kind: 'swap', id: '1', body: { any: 'thing' }, newer: true }],
  }; // prettier-ignore
  expect(readPull(answer)?.upserts).toEqual([{ kind: 'swap', id: '1', body: { any: 'thing' } }]);
});

test('a page that dies at any step of a pull has the old work or the new one', async () => {
  let deaths = 0;
  for (let killAt = 1; ; killAt += 1) {
    const device = phone();
    device.server.edit(PERSON, 'stop', '1', STOP);
    device.server.edit(PERSON, 'stop', '2', STOP);
    await device.boot().sync.run({ eager: false });
    device.server.edit(PERSON, 'stop', '1', null);
    device.server.edit(PERSON, 'stop', '3', STOP);
    const { sync, life } = device.boot(killAt);
    await sync.run({ eager: false }).catch(() => undefined);
    if (!life.dead) break;
    deaths += 1;
    const { sync: next } = device.boot();
    expect([
      ['stop/1', 'stop/2'],
      ['stop/2', 'stop/3'],
    ]).toContainEqual(await names(next));
    await next.run({ eager: true });
    expect(await names(next)).toEqual(['stop/2', 'stop/3']);
  }
  expect(deaths).toBeGreaterThan(20);
});
