import 'fake-indexeddb/auto';

import { describe, expect, test } from 'vitest';

import { onDuty } from '../../src/field/place/duty';
import {
  Recorder,
  TELL_EVERY_MS,
  type Locator,
  type Position,
  type RecorderPorts,
} from '../../src/field/place/recorder';
import { MOST, Ring, type Fix } from '../../src/field/place/ring';
import {
  bucket,
  isWorth,
  MOVING_MS,
  STANDING_MS,
  type Battery,
  type Seen,
} from '../../src/field/place/sieve';
import type { Changes } from '../../src/field/flow/changes';
import type { StoredDocument } from '../../src/shared/sync/schema';

const document = (kind: string, id: string, body: object): StoredDocument =>
  ({ person_id: 'p', kind, id, body: { id, ...body } }) as StoredDocument;

const did = (...all: [string, string][]): Changes =>
  new Map(
    all.map(([key, form]) => [key, { form, over: ENDS.includes(form) }]),
  ) as unknown as Changes;
const ENDS = ['deliver', 'not_delivered', 'complete_visit', 'cannot_finish'];

const run = (state: string): StoredDocument =>
  document('run', 'r', { state, stop_ids: ['s1', 's2'] });
const shift = (state: string): StoredDocument => document('shift', 'h', { state });
const visit = (state: string): StoredDocument => document('visit', 'v', { state });

describe('a person is at work', () => {
  test('with a run that was accepted, until its last stop is done', () => {
    expect(onDuty([run('planned')], did())).toBe(false);
    expect(onDuty([run('planned')], did(['run:r', 'take_run']))).toBe(true);
    expect(onDuty([run('accepted')], did(['stop:s1', 'deliver']))).toBe(true);
    const done = did(['stop:s1', 'deliver'], ['stop:s2', 'not_delivered']);
    expect(onDuty([run('accepted')], done)).toBe(false);
  });

  test('with a shift from its opening to its close on this phone', () => {
    expect(onDuty([shift('planned')], did())).toBe(false);
    expect(onDuty([shift('planned')], did(['shift:h', 'open_shift']))).toBe(true);
    expect(onDuty([shift('planned')], did(['shift:h', 'load']))).toBe(true);
    expect(onDuty([shift('open')], did())).toBe(true);
    expect(onDuty([shift('open')], did(['shift:h', 'close_shift']))).toBe(false);
  });

  test('at a visit from its start to its end', () => {
    expect(onDuty([visit('booked')], did())).toBe(false);
    expect(onDuty([visit('booked')], did(['visit:v', 'start_visit']))).toBe(true);
    expect(onDuty([visit('started')], did())).toBe(true);
    expect(onDuty([visit('started')], did(['visit:v', 'complete_visit']))).toBe(false);
    expect(onDuty([visit('booked')], did(['visit:v', 'cannot_finish']))).toBe(false);
  });

  test('and not by anything else', () => {
    expect(onDuty([document('pick_list', 'l', { state: 'picking' })], did())).toBe(false);
  });
});

describe('what is kept', () => {
  const START: Seen = { lat: 25, lng: 55, accuracy_m: 10, speed_mps: null, mono_ms: 0 };
  const later = (mono_ms: number, north_m = 0, other: Partial<Seen> = {}): Seen => ({
    ...START,
    lat: START.lat + north_m / 111_320,
    mono_ms,
    ...other,
  });

  test('is the first, then every 75 m, or every minute while moving', () => {
    expect(isWorth(START, null, false)).toBe(true);
    expect(isWorth(later(3_000, 76), START, false)).toBe(true);
    expect(isWorth(later(3_000, 74), START, false)).toBe(false);
    expect(isWorth(later(MOVING_MS, 40, { speed_mps: 6 }), START, false)).toBe(true);
    expect(isWorth(later(MOVING_MS - 1, 40, { speed_mps: 6 }), START, false)).toBe(false);
  });

  test('is one in five minutes while standing, however the place trembles', () => {
    expect(isWorth(later(MOVING_MS, 10, { speed_mps: 0 }), START, false)).toBe(false);
    expect(isWorth(later(MOVING_MS, 90, { accuracy_m: 200 }), START, false)).toBe(false);
    expect(isWorth(later(STANDING_MS), START, false)).toBe(true);
  });

  test('is one in five minutes where battery or data are short', () => {
    expect(isWorth(later(STANDING_MS - 1, 9_000, { speed_mps: 30 }), START, true)).toBe(false);
    expect(isWorth(later(STANDING_MS, 9_000), START, true)).toBe(true);
  });

  test('says roughly how full the battery is', () => {
    expect([null, 0.19, 0.2, 0.49, 0.5, 1].map(bucket)).toEqual([
      null, 'low', 'middle', 'middle', 'high', 'high',
    ] satisfies (Battery | null)[]); // prettier-ignore
  });
});

const fix = (id: string): Fix => ({
  id, captured_at: '2026-11-27T09:00:00Z', mono_ms: 1, server_at: null, server_mono_ms: null,
  lat: 25, lng: 55, accuracy_m: 10, speed_mps: null, battery: null,
}); // prettier-ignore

describe('the ring', () => {
  test('holds 500; the oldest gives way', async () => {
    const ring = new Ring('full');
    for (let n = 0; n < MOST + 3; n += 1) await ring.add('p', fix(`${n}`));
    const { fixes } = await ring.oldest('p', 1_000);
    expect([fixes.length, fixes[0]?.id, fixes.at(-1)?.id]).toEqual([500, '3', '502']);
  });

  test('forgets what was told, and whatever another person left', async () => {
    const ring = new Ring('two');
    for (const [person, id] of [['a', '1'], ['b', '2'], ['a', '3'], ['a', '4']] as const) {
      await ring.add(person, fix(id));
    } // prettier-ignore
    const { keys, fixes } = await ring.oldest('a', 2);
    expect(fixes.map((one) => one.id)).toEqual(['1', '3']);
    await ring.forget(keys);
    expect((await ring.oldest('a', 9)).fixes.map((one) => one.id)).toEqual(['4']);
    expect((await ring.oldest('b', 9)).fixes).toEqual([]);
    expect((await ring.oldest('a', 9)).fixes).toEqual([]);
  });
});

class World {
  mono = 0;
  level: number | null = null;
  saves = false;
  answer: { status: number } | null = { status: 200 };
  told: string[][] = [];
  kept: Fix[] = [];
  shown: string[] = [];
  options: Parameters<Locator['watchPosition']>[2][] = [];
  full = false;
  #watches = new Map<
    number,
    { see: (position: Position) => void; fail: (failure: { code: number }) => void }
  >();
  #next = 1;

  readonly recorder = new Recorder({
    geolocation: {
      watchPosition: (see, fail, options) => {
        this.options.push(options);
        this.#watches.set(this.#next, { see, fail });
        return this.#next++;
      },
      clearWatch: (id) => void this.#watches.delete(id),
    },
    mono: () => this.mono,
    stamp: () => ({ captured_at: '', mono_ms: this.mono, server_at: null, server_mono_ms: null }),
    id: () => `${this.kept.length}`,
    ring: {
      add: async (_person, one) => {
        if (this.full) throw new Error('QuotaExceededError');
        this.kept.push(one);
      },
      oldest: async (_person, count) => {
        const fixes = this.kept.slice(0, count);
        return { keys: fixes.map((_, n) => n), fixes };
      },
      forget: async (keys) => void this.kept.splice(0, keys.length),
    },
    tell: async (fixes) => {
      this.told.push(fixes.map((one) => one.id));
      return this.answer;
    },
    battery: () => this.level,
    saves_data: () => this.saves,
    show: (recording) => void this.shown.push(recording),
  } satisfies RecorderPorts);

  get watches(): number {
    return this.#watches.size;
  }

  async drive(north_m: number, after_ms: number): Promise<void> {
    this.mono += after_ms;
    const coords = {
      latitude: 25 + north_m / 111_320, longitude: 55, accuracy: 10, speed: Number.NaN,
    }; // prettier-ignore
    for (const { see } of this.#watches.values()) see({ coords });
    await new Promise((done) => setTimeout(done));
  }

  fail(code: number): void {
    for (const { fail } of this.#watches.values()) fail({ code });
  }
}

describe('the recorder', () => {
  test('watches only while somebody is followed', async () => {
    const world = new World();
    expect(world.watches).toBe(0);
    world.recorder.follow('p');
    world.recorder.follow('p');
    expect(world.watches).toBe(1);
    await world.drive(0, 1_000);
    world.recorder.follow(null);
    expect(world.watches).toBe(0);
    expect(world.shown).toEqual(['on', 'off']);
  });

  test('tells at once, then every two minutes, and forgets only what was answered', async () => {
    const world = new World();
    world.answer = null;
    world.recorder.follow('p');
    await world.recorder.tell('p');
    expect(world.told).toEqual([]);
    await world.drive(0, 1_000);
    await world.drive(100, 10_000);
    await world.drive(200, 10_000);
    expect(world.told).toEqual([['0']]);
    expect(world.kept).toHaveLength(3);
    world.answer = { status: 200 };
    await world.drive(300, TELL_EVERY_MS);
    expect(world.told.at(-1)).toHaveLength(4);
    expect(world.kept).toEqual([]);
  });

  test.each([
    [422, 0],
    [401, 1],
    [429, 1],
    [503, 1],
  ])('after an answer of %i keeps %i', async (status, left) => {
    const world = new World();
    world.answer = { status };
    world.recorder.follow('p');
    await world.drive(0, 1_000);
    expect(world.kept).toHaveLength(left);
  });

  test('is refused once, says so, and asks no more', () => {
    const world = new World();
    world.recorder.follow('p');
    world.fail(3);
    expect(world.watches).toBe(1);
    world.fail(1);
    world.recorder.follow(null);
    world.recorder.follow('p');
    expect([world.watches, world.options.length]).toEqual([0, 1]);
    expect(new Set(world.shown)).toEqual(new Set(['denied']));
  });

  test('asks for less where the battery is short, and for all again once it is not', () => {
    const world = new World();
    world.level = 0.5;
    world.recorder.follow('p');
    world.level = 0.1;
    world.recorder.adapt();
    world.recorder.adapt();
    world.level = 1;
    world.recorder.adapt();
    expect(world.options.map((one) => one.enableHighAccuracy)).toEqual([true, false, true]);
    expect(world.watches).toBe(1);
  });

  test('asks for less where somebody saves data', () => {
    const world = new World();
    world.saves = true;
    world.recorder.follow('p');
    expect(world.options[0]?.enableHighAccuracy).toBe(false);
  });

  test('lets a full phone be', async () => {
    const world = new World();
    world.full = true;
    world.recorder.follow('p');
    await world.drive(0, 1_000);
    expect([world.kept, world.told]).toEqual([[], []]);
  });
});
