import { expect, test } from 'vitest';

import { Database } from '../../src/shared/sync/database';
import { DeviceKeys } from '../../src/shared/sync/device-key';
import { pageLocks } from '../../src/shared/sync/lock';
import { SessionKeeper } from '../../src/shared/sync/session';
import { AccessServer } from '../support/access-server';
import { capture, phone, runToTheEnd } from '../support/captures';
import { EPOCH, type Device } from '../support/device';
import { toRequest, toResponse, type Answer, type Request } from '../support/model-server';

type Network = (request: Request) => Answer | Promise<Answer>;

/** A phone whose people are enrolled and signed in by the server, with as many tabs as one wants. */
class Phone {
  readonly device: Device = phone();
  readonly access = new AccessServer(() => EPOCH + this.device.elapsed);
  readonly #locks = pageLocks();
  network: Network = (request) => this.serve(request);
  codes = 0;

  serve(request: Request): Answer {
    const answer = this.access.handle(request);
    if (answer !== null) return answer;
    const token = (request.headers['Authorization'] ?? '').slice('Bearer '.length);
    this.device.server.tokens.clear();
    const owner = this.access.opened(token);
    if (owner !== undefined) this.device.server.tokens.set(token, owner.person_id);
    return this.device.server.handle(request);
  }

  tab(): { keeper: SessionKeeper; sync: ReturnType<Device['boot']>['sync']; keys: DeviceKeys } {
    const database = new Database(this.device.storage);
    const keys = new DeviceKeys(crypto.subtle, () => database);
    const ports = {
      fetch: async (url: string, init: RequestInit) =>
        toResponse(await this.network(toRequest(url, init))),
      // A pause passes at once, and the time with it; a timeout never comes.
      timers: {
        after: (ms: number, callback: () => void) => {
          if (ms < 5_000) {
            this.device.elapsed += ms;
            callback();
          }
          return () => undefined;
        },
      },
      locks: this.#locks,
      base_url: '',
    };
    const keeper = new SessionKeeper(ports, () => database, keys);
    const { sync } = this.device.boot(null, { ...ports, sessions: keeper, signer: keys });
    return { keeper, sync, keys };
  }

  code(person_id: string): string {
    this.codes += 1;
    this.access.codes.set(`code-${this.codes}`, person_id);
    return `code-${this.codes}`;
  }
}

function lost(): Promise<Answer> {
  return Promise.reject(new TypeError('Failed to fetch'));
}

test('whoever is enrolled anew goes on as the same device, with the same key', async () => {
  const own = new Phone();
  const { keeper, keys } = own.tab();
  expect(await keeper.enrol(own.code('amal'), 'Pixel', '123456')).toBe('ok');
  const key = await keys.publicKey('amal');
  expect(await keeper.enrol(own.code('amal'), 'Pixel', '654321')).toBe('ok');
  expect(own.access.devices).toHaveLength(1);
  expect(await keys.publicKey('amal')).toEqual(key);
});

test('an enrolment says what this browser still has, and hears of what it has lost', async () => {
  const own = new Phone();
  const told: unknown[] = [];
  own.network = (request) => {
    if (!request.url.endsWith('/api/enrol')) return own.serve(request);
    told.push((JSON.parse(request.body as string) as Record<string, unknown>)['known_devices']);
    const answer = own.serve(request);
    return { ...answer, body: { ...(answer.body as object), lost: told.length === 1 } };
  };
  const { keeper } = own.tab();
  expect(keeper.lost).toBe(false);
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  expect(keeper.lost).toBe(true);
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  expect(keeper.lost).toBe(false);
  const [device] = own.access.devices;
  expect(told).toEqual([[], [device?.device_id]]);
});

test('each person has a key of their own, and nobody signs with that of another', async () => {
  const own = new Phone();
  const { keeper, keys } = own.tab();
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  expect(await keeper.enrol(own.code('binu'), 'Pixel', '222222')).toBe('ok');
  expect(own.access.devices.map((device) => device.person_id)).toEqual(['amal', 'binu']);
  expect(await keys.publicKey('amal')).not.toEqual(await keys.publicKey('binu'));
  expect(await keys.of('chandra')).toBe(null);
  expect(await keeper.current()).toMatchObject({ person_id: 'binu' });
});

test('an enrolment whose answer was lost is made again with the same key', async () => {
  const own = new Phone();
  const { keeper } = own.tab();
  own.network = (request) => {
    own.serve(request);
    return lost();
  };
  expect(await keeper.enrol(own.code('amal'), 'Pixel', '123456')).toBe('no_answer');
  own.network = (request) => own.serve(request);
  expect(await own.tab().keeper.enrol(own.code('amal'), 'Pixel', '123456')).toBe('ok');
  expect(own.access.devices).toHaveLength(1);
});

test('a key that was enrolled for somebody whose answer was lost hinders nobody else', async () => {
  const own = new Phone();
  const { keeper } = own.tab();
  own.network = (request) => {
    own.serve(request);
    return lost();
  };
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  own.network = (request) => own.serve(request);
  expect(await keeper.enrol(own.code('binu'), 'Pixel', '222222')).toBe('ok');
  expect(await keeper.current()).toMatchObject({ person_id: 'binu' });
  expect(await keeper.enrol(own.code('amal'), 'Pixel', '123456')).toBe('ok');
  expect(await keeper.current()).toMatchObject({ person_id: 'amal' });
});

test('a device that was shut out comes back with a new key', async () => {
  const own = new Phone();
  const { keeper, keys } = own.tab();
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  const before = await keys.publicKey('amal');
  own.access.deviceOf('amal').state = 'revoked';
  expect(await keeper.enrol(own.code('amal'), 'Pixel', '123456')).toBe('ok');
  expect(own.access.devices.map((device) => device.state)).toEqual(['revoked', 'active']);
  expect(await keys.publicKey('amal')).not.toEqual(before);
});

test('a code that is not valid changes nothing', async () => {
  const own = new Phone();
  const { keeper } = own.tab();
  expect(await keeper.enrol('none', 'Pixel', '123456')).toBe('wrong');
  expect(await keeper.current()).toBe(null);
});

test('a refresh whose answer was lost is asked again with the same token, and nobody is out', async () => {
  const own = new Phone();
  const { keeper } = own.tab();
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  const spent = (await keeper.current())!.token;
  let asked = 0;
  own.network = (request) => {
    asked += 1;
    const answer = own.serve(request);
    return asked < 3 ? lost() : answer;
  };
  expect(await keeper.renew(spent)).toBe(true);
  expect(asked).toBe(3);
  expect(own.access.access.has((await keeper.current())!.token)).toBe(true);
});

test('a refresh whose answer was lost is made up for after days without a signal', async () => {
  const own = new Phone();
  const { keeper, sync } = own.tab();
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  own.access.expire();
  await sync.capture(capture());
  // The server has spent the token; the phone never hears of it.
  own.network = (request) => {
    const answer = own.serve(request);
    return request.url === '/api/session/refresh' ? lost() : answer;
  };
  await sync.run({ eager: true });
  expect(own.access.refreshes).toBeGreaterThan(0);
  own.device.elapsed += 5 * 24 * 60 * 60_000;
  own.access.expire();
  own.network = (request) => own.serve(request);
  await sync.run({ eager: true });
  await runToTheEnd(sync, own.device);
  expect(await keeper.state('amal')).toBe('signed_in');
  expect(own.device.server.events.size).toBe(1);
});

test('all tries of a refresh together are over within half a minute', async () => {
  const own = new Phone();
  const { keeper } = own.tab();
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  const spent = (await keeper.current())!.token;
  const began = own.device.elapsed;
  let asked = 0;
  own.network = () => {
    asked += 1;
    own.device.elapsed += 5_000;
    return lost();
  };
  expect(await keeper.renew(spent)).toBe(false);
  expect(asked).toBe(4);
  expect(own.device.elapsed - began).toBeLessThan(30_000);
  own.network = (request) => own.serve(request);
  expect(await own.tab().keeper.renew(spent)).toBe(true);
});

test('of two tabs one renews, and both go on', async () => {
  const own = new Phone();
  const tabs = [own.tab().keeper, own.tab().keeper];
  await tabs[0]!.enrol(own.code('amal'), 'Pixel', '123456');
  const spent = (await tabs[1]!.current())!.token;
  own.network = async (request) => {
    await new Promise((done) => setTimeout(done, 5));
    return own.serve(request);
  };
  const renewed = await Promise.all(tabs.flatMap((tab) => [tab.renew(spent), tab.renew(spent)]));
  expect(renewed).toEqual([true, true, true, true]);
  expect(own.access.refreshes).toBe(1);
  expect(await tabs[0]!.current()).toEqual(await tabs[1]!.current());
});

test.each([
  { status: 500 },
  { status: 429, body: { type: '/problems/too-many-requests' } },
  { status: 403, body: { type: '/problems/not-allowed' } },
  { status: 401, body: '<html>Please accept our terms.</html>' },
  { status: 401, body: { type: 'https://portal.example/sign-in' } },
  { status: 200, body: '<html></html>' },
  { status: 200, body: { access_token: 'x' } },
])('an answer that is no word of our server ends no session: %j', async (answer) => {
  const own = new Phone();
  const { keeper } = own.tab();
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  const before = await keeper.current();
  own.network = () => answer;
  expect(await keeper.renew(before!.token)).toBe(false);
  expect(await keeper.current()).toEqual(before);
});

test('an ended session asks for the PIN, loses nothing, and never stops work', async () => {
  const own = new Phone();
  const { keeper, sync } = own.tab();
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  own.access.forget();
  const before = await sync.capture(capture({ lane: 'stop:1' }));
  await sync.run({ eager: true });
  expect(await keeper.state('amal')).toBe('needs_sign_in');
  const after = await sync.capture(capture({ lane: 'stop:1' }));
  expect(await sync.status('amal')).toMatchObject({
    waiting: { count: 2 },
    problems: expect.arrayContaining(['sign_in']),
  });
  expect(await keeper.signIn('amal', '000000')).toBe('wrong');
  expect(await keeper.signIn('amal', '123456')).toBe('ok');
  await sync.run({ eager: true });
  await runToTheEnd(sync, own.device);
  expect([...own.device.server.events.keys()]).toEqual([before.event_id, after.event_id]);
  expect(before.sig).not.toBe(null);
});

test('offline for a week: captures go on, and then one sign-in is enough', async () => {
  const own = new Phone();
  const { keeper, sync } = own.tab();
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  own.network = lost;
  for (let day = 0; day < 7; day += 1) {
    own.access.expire();
    await sync.capture(capture());
    await sync.run({ eager: true });
    own.device.elapsed += 24 * 60 * 60_000;
  }
  own.access.forget();
  own.network = (request) => own.serve(request);
  await sync.run({ eager: true });
  expect(await keeper.signIn('amal', '123456')).toBe('ok');
  await sync.run({ eager: true });
  await runToTheEnd(sync, own.device);
  expect(own.device.server.events.size).toBe(7);
  expect(own.device.server.wrongs).toEqual([]);
});

test("a second person's login neither sends nor signs what the first one has captured", async () => {
  const own = new Phone();
  const { keeper, sync } = own.tab();
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  const event = await sync.capture(capture({ changes: { job: 'done' } }));
  await keeper.enrol(own.code('binu'), 'Pixel', '222222');
  expect(await sync.run({ eager: true })).toBe(null);
  expect(own.device.server.pushes).toEqual([]);
  expect(await sync.state('binu')).toEqual(new Map());
  expect(await sync.quarantine('binu')).toEqual([]);
  expect((await sync.status('binu')).waiting.count).toBe(0);
  expect(await keeper.signIn('amal', '123456')).toBe('ok');
  await sync.run({ eager: true });
  expect(own.device.server.events.get(event.event_id)?.event).toEqual(event);
});

test.each(['locked', 'revoked'] as const)('a device that is %s is told so', async (state) => {
  const own = new Phone();
  const { keeper } = own.tab();
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  const { token } = (await keeper.current())!;
  own.access.deviceOf('amal').state = state;
  expect(await keeper.renew(token)).toBe(false);
  expect(await keeper.state('amal')).toBe(state);
  expect(await keeper.signIn('amal', '123456')).toBe(state);
  const shutOut = { person_id: 'amal', device_id: own.access.deviceOf('amal').device_id };
  expect(await keeper.shutOut()).toEqual(state === 'revoked' ? shutOut : null);
});

test('to sign out forgets what the screens show, and no capture', async () => {
  const own = new Phone();
  const { keeper, sync } = own.tab();
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  await sync.capture(capture({ changes: { job: 'done' } }));
  const session = (await keeper.current())!;
  own.network = lost;
  await keeper.signOut(session);
  expect(await keeper.current()).toEqual(session);
  own.network = (request) => own.serve(request);
  await keeper.signOut(session);
  expect(await keeper.state('amal')).toBe('signed_out');
  expect(await keeper.current()).toBe(null);
  expect(await sync.state('amal')).toEqual(new Map());
  expect((await sync.status('amal')).waiting.count).toBe(1);
  expect(await keeper.signIn('amal', '123456')).toBe('ok');
  await sync.run({ eager: true });
  expect((await sync.status('amal')).confirmed).toBe(1);
});

test('whoever comes back to a shared phone needs no code, and what waited of theirs is sent', async () => {
  const own = new Phone();
  const { keeper, sync } = own.tab();
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  await sync.capture(capture({ person_id: 'amal' }));
  await keeper.enrol(own.code('binu'), 'Pixel', '222222');
  await sync.run({ eager: true });
  expect(own.device.server.events.size).toBe(0);
  expect(await keeper.others()).toEqual(['amal']);
  await keeper.turnTo('amal');
  expect(await keeper.current()).toMatchObject({ person_id: 'amal' });
  expect(await keeper.others()).toEqual(['binu']);
  await sync.run({ eager: true });
  expect((await sync.status('amal')).confirmed).toBe(1);
});

test('a phone turns to nobody who was never enrolled on it, or was signed out', async () => {
  const own = new Phone();
  const { keeper } = own.tab();
  await keeper.enrol(own.code('amal'), 'Pixel', '123456');
  await keeper.turnTo('chandra');
  expect(await keeper.current()).toMatchObject({ person_id: 'amal' });
  await keeper.signOut((await keeper.current())!);
  await keeper.enrol(own.code('binu'), 'Pixel', '222222');
  expect(await keeper.others()).toEqual([]);
});
