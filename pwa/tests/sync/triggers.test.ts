import { expect, test } from 'vitest';

import {
  FIRST_LIMIT_MS,
  jitteredWait,
  LAST_LIMIT_MS,
  retryAfter,
} from '../../src/shared/sync/backoff';
import { pageLocks, exclusively } from '../../src/shared/sync/lock';
import { REASONS, TIMER_MS, Triggers } from '../../src/shared/sync/triggers';

function handTimers(): {
  after: (ms: number, callback: () => void) => () => void;
  set: Map<() => void, number>;
} {
  const set = new Map<() => void, number>();
  const after = (ms: number, callback: () => void): (() => void) => {
    set.set(callback, ms);
    return () => void set.delete(callback);
  };
  return { after, set };
}

test.each(REASONS)('%s begins a sync', async (reason) => {
  const eager: boolean[] = [];
  const triggers = new Triggers(async (options) => {
    eager.push(options.eager);
    return null;
  }, handTimers());
  await triggers.fire(reason);
  expect(eager).toEqual([!['start', 'commit', 'timer'].includes(reason)]);
});

test('what is asked during a run is one more run after it', async () => {
  let runs = 0;
  let underWay = 0;
  const run = async (): Promise<null> => {
    runs += 1;
    underWay += 1;
    expect(underWay).toBe(1);
    await new Promise((done) => setTimeout(done, 5));
    underWay -= 1;
    return null;
  };
  const triggers = new Triggers(run, handTimers());
  await Promise.all([
    triggers.fire('start'),
    triggers.fire('commit'),
    triggers.fire('online'),
    triggers.fire('push'),
  ]);
  expect(runs).toBe(2);
});

test('while anything waits a timer tries again, within a minute', async () => {
  const timers = handTimers();
  const answers: (() => Promise<number | null>)[] = [
    async () => 5_000,
    async () => 0,
    async () => 10 * TIMER_MS,
    async () => null,
  ];
  const triggers = new Triggers(() => (answers.shift() ?? (async () => null))(), timers);
  const waits: (number | undefined)[] = [];
  for (let round = 0; round < 4; round += 1) {
    await triggers.fire('timer');
    waits.push([...timers.set.values()][0]);
  }
  expect(waits).toEqual([5_000, 1_000, TIMER_MS, undefined]);
});

test('a sync that broke off is said and tried again at once, then less and less often', async () => {
  const said: unknown[] = [];
  const timers = handTimers();
  const gone = new Error('The storage is gone.');
  const works = [...Array<boolean>(8).fill(false), true, false];
  const run = async (): Promise<null> => {
    if (works.shift() === false) throw gone;
    return null;
  };
  const triggers = new Triggers(run, timers, undefined, (failure) => said.push(failure));
  const waits: (number | undefined)[] = [];
  for (let round = 0; round < 10; round += 1) {
    await triggers.fire('timer');
    waits.push([...timers.set.values()][0]);
  }
  const longer = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, TIMER_MS, TIMER_MS];
  expect(waits).toEqual([...longer, undefined, 1_000]);
  expect(said).toHaveLength(9);
  expect(said.every((failure) => failure === gone)).toBe(true);
});

test('each commit asks the browser for a sync after the page, and may be refused', async () => {
  let asked = 0;
  const triggers = new Triggers(
    async () => null,
    handTimers(),
    () => {
      asked += 1;
      return Promise.reject(new Error('Not allowed.'));
    },
  );
  await triggers.fire('commit');
  await triggers.fire('online');
  expect(asked).toBe(1);
});

function longest(failures: number): number {
  return jitteredWait(failures, () => 2 ** 32 - 1);
}

test('pauses are random below a limit that doubles from 2 s to 5 min', () => {
  expect([1, 2, 3, 8, 9, 1_000].map(longest)).toEqual([
    2_000,
    4_000,
    8_000,
    256_000,
    LAST_LIMIT_MS,
    LAST_LIMIT_MS,
  ]);
  expect(jitteredWait(1, () => 2 ** 31)).toBe(FIRST_LIMIT_MS / 2);
  expect(jitteredWait(5, () => 0)).toBe(0);
});

test('Retry-After is read as seconds and as a date', () => {
  const now = Date.parse('2026-11-26T10:00:00Z');
  expect(retryAfter('7', now)).toBe(7_000);
  expect(retryAfter('Thu, 26 Nov 2026 10:02:00 GMT', now)).toBe(120_000);
  expect(retryAfter('Thu, 26 Nov 2026 09:00:00 GMT', now)).toBe(0);
  expect([null, '', 'soon'].map((header) => retryAfter(header, now))).toEqual([null, null, null]);
});

test('without Web Locks a page still holds its own lock', async () => {
  const locks = pageLocks();
  const now = { waits: false };
  const inner = await exclusively(locks, now, () => exclusively(locks, now, async () => 'second'));
  expect(inner).toBe(null);
  expect(await exclusively(locks, now, async () => 'free again')).toBe('free again');
});

test('a lock that is waited for comes when it is free, also after a failure', async () => {
  const locks = pageLocks();
  const order: string[] = [];
  const wait = (name: string): Promise<void> =>
    locks.request('lock', { ifAvailable: false }, async () => {
      order.push(`${name} begins`);
      await new Promise((done) => setTimeout(done, 5));
      order.push(`${name} ends`);
      if (name === 'first') throw new Error('It fails.');
    });
  const ends = await Promise.allSettled([wait('first'), wait('second'), wait('third')]);
  expect(ends.map((end) => end.status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  const names = ['first', 'second', 'third'];
  expect(order).toEqual(names.flatMap((name) => [`${name} begins`, `${name} ends`]));
});
