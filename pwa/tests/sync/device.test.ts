import { createHash, webcrypto } from 'node:crypto';

import { expect, test } from 'vitest';

import type { Capture } from '../../src/shared/sync/outbox';
import { Database } from '../../src/shared/sync/database';
import { DeviceKeys } from '../../src/shared/sync/device-key';
import { capture, captureMany, PERSON, phone, picture, runToTheEnd } from '../support/captures';
import { EPOCH, plainNetwork, type Device, type Network } from '../support/device';
import type { Answer, Request } from '../support/model-server';

const SURRENDER = '/field/sync/surrender';

/** The server, whose answers to a push also say what the office wants, and who gives only the active work. */
function telling(state: string): Network {
  return async (request, server) => {
    if (request.url.startsWith('/field/sync/pull') && state !== 'active') {
      return { status: 403, body: { type: '/problems/device-hands-in-only', state } };
    }
    const answer = server.handle(request);
    const device = { state };
    return { ...answer, body: { ...(answer.body as object), device } };
  };
}

test('a phone that is to sign out hands in everything first, pictures too', async () => {
  const device = phone();
  const { sync } = device.boot();
  await captureMany(sync, 3, (index) => ({ lane: `stop:${index}` }));
  await sync.capture(capture({ pictures: [picture('photo', 100_000)] }));
  let chunks = 0;
  device.network = async (request, server) => {
    if (request.url.startsWith('/uploads')) {
      chunks += 1;
      if (chunks === 2) throw new TypeError('Failed to fetch');
      return server.handle(request);
    }
    return telling('draining')(request, server);
  };
  await sync.run({ eager: true });
  expect(await sync.deviceState(PERSON)).toBe('draining');
  // The picture is not there yet.
  expect(device.signedOut).toEqual([]);
  for (let round = 0; round < 10 && device.signedOut.length === 0; round += 1) {
    device.elapsed += 60_000;
    await sync.run({ eager: true });
  }
  expect(device.signedOut).toEqual([PERSON]);
  expect(device.server.events.size).toBe(4);
  expect([...device.server.uploads.values()].map((upload) => upload.complete)).toEqual([true]);
  expect(await sync.status(PERSON)).toMatchObject({
    waiting: { count: 0 },
    pictures_waiting: { count: 0 },
  });
});

test('nobody is signed out while the line is down', async () => {
  const device = phone();
  const { sync } = device.boot();
  await sync.capture(capture());
  device.network = telling('draining');
  await sync.capture(capture({ lane: 'stop:2', payload: { breaks: true } }));
  await sync.run({ eager: true });
  device.network = () => Promise.reject(new TypeError('Failed to fetch'));
  await sync.run({ eager: true });
  expect(device.signedOut).toEqual([]);
});

test('the office sees that its word was heard, once', async () => {
  const device = phone();
  const { sync } = device.boot();
  await sync.capture(capture());
  const told: unknown[] = [];
  device.network = async (request, server) => {
    told.push((JSON.parse(String(request.body)) as { device_state: unknown }).device_state);
    return telling('locked')(request, server);
  };
  await sync.run({ eager: true });
  await sync.run({ eager: true });
  expect(told).toEqual(['active', 'locked']);
  expect(device.server.pushes.map((events) => events.length)).toEqual([1]);
  expect(await device.boot().sync.deviceState(PERSON)).toBe('locked');
  // A locked phone hands in all the same.
  await sync.capture(capture());
  await sync.run({ eager: true });
  expect((await sync.status(PERSON)).confirmed).toBe(2);
});

test('a word that this version does not know changes nothing', async () => {
  const device = phone();
  const { sync } = device.boot();
  await sync.capture(capture());
  device.network = telling('explode');
  await sync.run({ eager: true });
  expect(await sync.deviceState(PERSON)).toBe('active');
  expect((await sync.status(PERSON)).confirmed).toBe(1);
});

async function enrolled(): Promise<{ device: Device; keys: DeviceKeys }> {
  const device = phone();
  const database = new Database(device.storage);
  const keys = new DeviceKeys(crypto.subtle, () => database);
  await keys.fresh();
  await keys.adopt(PERSON);
  return { device, keys };
}

/** Verify as the server does; then it keeps everything for a person, and the pictures that it names. */
function taking(device: Device, keys: DeviceKeys, requests: Request[]): Network {
  return async (request, server) => {
    requests.push(request);
    if (!request.url.startsWith(SURRENDER)) {
      throw new Error(`${request.url} was asked without a session`);
    }
    const { method, url, headers, body } = request;
    const signed_at = headers['Doorstep-Signed-At'] ?? '';
    const bytes = typeof body === 'string' ? body : new Uint8Array(body ?? new ArrayBuffer());
    const hash = createHash('sha256').update(bytes).digest('hex');
    const chunk =
      method === 'PATCH' ? ` ${headers['Upload-Offset']}/${headers['Upload-Length']}` : '';
    const said = `${method} ${url}${chunk}\ndevice-1\n${signed_at}\n${hash}`;
    const how = { name: 'ECDSA', namedCurve: 'P-256' };
    const jwk = (await keys.publicKey(PERSON)) as webcrypto.JsonWebKey;
    const key = await crypto.subtle.importKey('jwk', jwk, how, false, ['verify']);
    const proven = await crypto.subtle.verify(
      { name: 'ECDSA', hash: 'SHA-256' },
      key,
      Buffer.from(request.headers['Doorstep-Signature'] ?? '', 'base64url'),
      new TextEncoder().encode(said),
    );
    const server_time = new Date(EPOCH + device.elapsed).toISOString();
    const off = Math.abs(Date.parse(signed_at) - Date.parse(server_time));
    if (!proven || off > 300_000) {
      if (method === 'HEAD') {
        return { status: 401, headers: { 'Doorstep-Server-Time': server_time } };
      }
      return { status: 401, body: { type: '/problems/surrender-refused', server_time } };
    }
    const [, sha256] = url.split('/pictures/');
    if (sha256 !== undefined) {
      const named = requests.some(
        (one) => one.url === SURRENDER && String(one.body).includes(sha256),
      );
      if (!named) return { status: 404, body: { type: '/problems/picture-not-awaited' } };
      server.tokens.set('surrendered', PERSON);
      const asked = { ...request, url: `/uploads/${sha256}` };
      return server.handle({
        ...asked,
        headers: { ...headers, Authorization: 'Bearer surrendered' },
      });
    }
    const { events } = JSON.parse(String(request.body)) as { events: { event_id: string }[] };
    const receipts = events.map(({ event_id }) => ({
      event_id,
      verdict: 'review',
      reason: 'late',
    }));
    return { status: 200, body: { server_time, receipts, unreadable: [] } };
  };
}

test('a phone that was shut out surrenders what it has, signed and without a session', async () => {
  const { device, keys } = await enrolled();
  const { sync } = device.boot(null, { signer: keys });
  await captureMany(sync, 230, (index) => ({ lane: `stop:${index % 3}` }));
  await sync.capture(capture({ person_id: 'binu' }));
  // Of some nobody knows whether they arrived before.
  device.network = () => Promise.reject(new TypeError('Failed to fetch'));
  await sync.run({ eager: true });
  device.session = null;
  device.shutOut = { person_id: PERSON, device_id: 'device-1' };
  const requests: Request[] = [];
  device.network = taking(device, keys, requests);
  expect(await sync.run({ eager: true })).toBe(null);
  expect(await sync.status(PERSON)).toMatchObject({ waiting: { count: 0 }, confirmed: 230 });
  expect(requests.length).toBe(3);
  expect(requests.every(({ headers }) => headers['Authorization'] === undefined)).toBe(true);
  expect((await sync.status('binu')).waiting.count).toBe(1);
});

/** A capture that names its picture, as all do. */
function withPhoto(length: number): Partial<Capture> {
  const photo = picture('photo', length);
  const sha256 = createHash('sha256').update(new Uint8Array(photo.bytes)).digest('hex');
  return { lane: `stop:${length}`, payload: { photos: [{ sha256 }] }, pictures: [photo] };
}

test('its pictures follow, each signed, from where the line broke off', async () => {
  const { device, keys } = await enrolled();
  let { sync } = device.boot(null, { signer: keys });
  await sync.capture(capture(withPhoto(100_000)));
  await sync.capture(capture(withPhoto(50_000)));
  // One was begun in a session.
  device.network = (request, server) => {
    if (request.headers['Upload-Offset'] === '32768') throw new TypeError('Failed to fetch');
    return plainNetwork(request, server);
  };
  await sync.run({ eager: true });
  device.session = null;
  device.shutOut = { person_id: PERSON, device_id: 'device-1' };
  await sync.capture(capture(withPhoto(40_000)));
  const requests: Request[] = [];
  const takes = taking(device, keys, requests);
  // The model of the server knows what came in the session by what it has kept.
  for (const { text } of device.server.events.values()) {
    requests.push({ method: 'POST', url: SURRENDER, headers: {}, body: text });
  }
  let answers = 0;
  device.network = async (request, server) => {
    const answer = await takes(request, server);
    answers += 1;
    if (answers % 3 === 0) throw new TypeError('Failed to fetch');
    return answer;
  };
  device.skew = -2 * 24 * 60 * 60_000;
  for (let round = 0; round < 30; round += 1) {
    await sync.run({ eager: true });
    ({ sync } = device.boot(null, { signer: keys }));
    device.elapsed += 600_000;
  }
  expect([...device.server.uploads.values()].map(({ complete }) => complete)).toEqual([
    true,
    true,
    true,
  ]);
  expect(device.server.wrongs).toEqual([]);
  expect(await sync.status(PERSON)).toMatchObject({
    waiting: { count: 0 },
    pictures_waiting: { count: 0 },
    pictures_confirmed: 3,
    needs_attention: 0,
  });
  expect(await sync.run({ eager: false })).toBe(null);
});

test('a picture whose capture the server does not have waits, and nothing is let go', async () => {
  const { device, keys } = await enrolled();
  const { sync } = device.boot(null, { signer: keys });
  await sync.capture(capture(withPhoto(1_000)));
  device.session = null;
  device.shutOut = { person_id: PERSON, device_id: 'device-1' };
  let takesCaptures = false;
  const takes = taking(device, keys, []);
  device.network = (request, server) =>
    takesCaptures || request.method !== 'POST'
      ? takes(request, server)
      : Promise.resolve({ status: 503 });
  for (let round = 0; round < 5; round += 1) {
    expect(await sync.run({ eager: true })).not.toBe(null);
    device.elapsed += 600_000;
  }
  const waits = { pictures_waiting: { count: 1, bytes: 1_000 }, needs_attention: 0 };
  expect(await sync.status(PERSON)).toMatchObject(waits);
  takesCaptures = true;
  await runToTheEnd(sync, device);
  expect((await sync.status(PERSON)).pictures_confirmed).toBe(1);
});

test('a phone with a wrong clock learns the time from the refusal', async () => {
  const { device, keys } = await enrolled();
  const { sync } = device.boot(null, { signer: keys });
  await sync.capture(capture());
  device.session = null;
  device.shutOut = { person_id: PERSON, device_id: 'device-1' };
  device.skew = -2 * 24 * 60 * 60_000;
  const requests: Request[] = [];
  device.network = taking(device, keys, requests);
  await sync.run({ eager: true });
  expect(requests.length).toBe(2);
  expect((await sync.status(PERSON)).confirmed).toBe(1);
});

test('what is not taken stays on the phone', async () => {
  const { device, keys } = await enrolled();
  const { sync } = device.boot(null, { signer: keys });
  await captureMany(sync, 2);
  device.session = null;
  device.shutOut = { person_id: PERSON, device_id: 'device-1' };
  const server_time = new Date(EPOCH).toISOString();
  const refusals: Answer[] = [
    { status: 401, body: { type: '/problems/surrender-refused', server_time } },
    { status: 401, body: '<html></html>' },
    { status: 429, headers: { 'Retry-After': '1' } },
    { status: 200, body: '<html></html>' },
  ];
  for (const answer of refusals) {
    device.network = () => Promise.resolve(answer);
    await sync.run({ eager: true });
    device.elapsed += 600_000;
  }
  expect((await sync.status(PERSON)).waiting.count).toBe(2);
  device.network = taking(device, keys, []);
  await runToTheEnd(sync, device);
  expect((await sync.status(PERSON)).confirmed).toBe(2);
});

test('a session that only needs a sign-in surrenders nothing', async () => {
  const device = phone();
  const { sync } = device.boot();
  await sync.capture(capture());
  device.session = null;
  let asked = 0;
  device.network = (request, server) => {
    asked += 1;
    return plainNetwork(request, server);
  };
  expect(await sync.run({ eager: true })).toBe(null);
  expect(asked).toBe(0);
});

test('a phone that has nothing to send hears by its pull what the office wants, and says so', async () => {
  const device = phone();
  const { sync } = device.boot();
  const pushes: unknown[] = [];
  const office = (state: string): Network => {
    const tells = telling(state);
    return async (request, server) => {
      if (request.url === '/field/sync/push') pushes.push(JSON.parse(String(request.body)));
      return tells(request, server);
    };
  };
  for (const state of ['locked', 'active']) {
    device.network = office(state);
    device.elapsed += 60_000;
    await sync.run({ eager: true });
    expect(await sync.deviceState(PERSON)).toBe(state);
    device.elapsed += 60_000;
    await sync.run({ eager: true });
    expect(pushes.at(-1)).toMatchObject({ events: [], device_state: state });
  }
  expect(pushes.length).toBe(2);
});
