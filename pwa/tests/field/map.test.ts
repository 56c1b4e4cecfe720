import { describe, expect, test } from 'vitest';

import { draw, marks, metres, rounded, scaleBar } from '../../src/field/place/geometry';
import { isNear, stopsOf, ways } from '../../src/field/place/stops';
import { jobs } from '../../src/field/work';
import type { StoredDocument } from '../../src/shared/sync/schema';

const SAFA = { lat: 25.1897, lng: 55.2445 };
const MARINA = { lat: 25.0772, lng: 55.1398 };

const document = (kind: string, id: string, body: object): StoredDocument =>
  ({ person_id: 'p', kind, id, body }) as StoredDocument;

const at = (kind: string, id: string, pin: { lat: number; lng: number } | null): StoredDocument =>
  document(kind, id, {
    number: id,
    state: 'open',
    starts_at: `2026-11-26T0${id.at(-1)}:00:00Z`,
    address: { name: id, lat: pin?.lat ?? null, lng: pin?.lng ?? null },
  });

describe('distances', () => {
  test('are those of the ground', () => {
    // By the haversine formula on a sphere of 6,371 km: 16,351 m.
    expect(metres(SAFA, MARINA)).toBeGreaterThan(16_351 * 0.995);
    expect(metres(SAFA, MARINA)).toBeLessThan(16_351 * 1.005);
    expect(metres(SAFA, SAFA)).toBe(0);
  });

  test('take the short way over the date line', () => {
    expect(metres({ lat: 0, lng: 179.999 }, { lat: 0, lng: -179.999 })).toBeLessThan(300);
  });

  test('are told as exactly as they are known', () => {
    expect([3, 80, 130, 949, 999, 1_260, 9_700, 16_351].map(rounded)).toEqual([
      50, 100, 150, 950, 1_000, 1_500, 9_500, 16_000,
    ]);
  });
});

describe('a drawing', () => {
  test('has north up and east to the right, the same scale in both, and all within its margin', () => {
    const points = [SAFA, MARINA, { lat: 25.2, lng: 55.2 }];
    const drawing = draw(points, 320, 380, 40);
    const [safa, marina] = [drawing.at(SAFA), drawing.at(MARINA)];
    expect(safa.y).toBeLessThan(marina.y);
    expect(safa.x).toBeGreaterThan(marina.x);
    const drawn = Math.hypot(safa.x - marina.x, safa.y - marina.y) / drawing.units_per_metre;
    expect(Math.abs(drawn - metres(SAFA, MARINA))).toBeLessThan(20);
    for (const { x, y } of points.map((point) => drawing.at(point))) {
      expect(x).toBeGreaterThanOrEqual(39.9);
      expect(x).toBeLessThanOrEqual(280.1);
      expect(y).toBeGreaterThanOrEqual(39.9);
      expect(y).toBeLessThanOrEqual(340.1);
    }
  });

  test('of one place, or of none, has it in the middle and no endless scale', () => {
    expect(draw([SAFA, SAFA], 320, 380, 40).at(SAFA)).toEqual({ x: 160, y: 190 });
    expect(draw([], 320, 380, 40).units_per_metre).toBeCloseTo(1.2);
    expect(draw([{ lat: 90, lng: 0 }], 320, 380, 40).at({ lat: 90, lng: 0 }).x).toBe(160);
  });

  test('stands at both sides of the date line as on the ground', () => {
    const [west, east] = [
      { lat: 0, lng: 179.99 },
      { lat: 0, lng: -179.99 },
    ] as const;
    const drawing = draw([west, east], 320, 380, 40);
    expect(drawing.at(east).x - drawing.at(west).x).toBeCloseTo(240);
  });

  test('has a bar of a round length that is no longer than wanted', () => {
    for (const wide of [0.001, 0.01, 0.1, 1]) {
      const drawing = draw([SAFA, { lat: SAFA.lat, lng: SAFA.lng + wide }], 320, 380, 40);
      const bar = scaleBar(drawing, 100);
      expect(bar.units).toBeLessThanOrEqual(100);
      expect(bar.units).toBeGreaterThan(39);
      expect(bar.units / drawing.units_per_metre).toBeCloseTo(bar.metres);
      expect([1, 2, 5]).toContain(Number(bar.metres.toPrecision(1)[0]));
    }
  });

  test('has one mark for places that a thumb hits at once, and no two marks that overlap', () => {
    const spots = Array.from({ length: 60 }, (_, n) => ({ x: (n * 37) % 320, y: (n * 91) % 380 }));
    const found = marks(spots, 54);
    expect(found.flat()).toHaveLength(60);
    const firsts = found.flatMap(([first]) => (first === undefined ? [] : [first]));
    for (const a of firsts) {
      for (const b of firsts) {
        if (a !== b) expect(Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y))).toBeGreaterThan(53);
      }
    }
  });
});

test('stops are numbered as the list has them, and each run is a way of its own', () => {
  const documents = [
    at('stop', 's1', SAFA),
    at('stop', 's2', null),
    at('stop', 's3', MARINA),
    at('stop', 's4', SAFA),
    at('stop', 's5', MARINA),
    at('visit', 'v7', SAFA),
    document('run', 'r1', { id: 'r1', stop_ids: ['s3', 's2', 's1'] }),
    document('run', 'r2', { id: 'r2', stop_ids: ['s4'] }),
    document('manifest', 'm', { number: 'M' }),
  ];
  const stops = stopsOf(jobs(documents));
  expect(stops.map(({ n, job }) => [n, job.id])).toEqual([
    [1, 's3'],
    [2, 's2'],
    [3, 's1'],
    [4, 's4'],
    [5, 's5'],
    [6, 'v7'],
  ]);
  expect(stops.find((stop) => stop.job.id === 's2')?.point).toBeNull();
  const drawn = ways(stops, documents).map((way) => way.map(({ job }) => job.id));
  expect(drawn).toEqual([['s3', 's1']]);
});

test('a phone that is in another city is not drawn among the stops', () => {
  expect(isNear(MARINA, [SAFA])).toBe(true);
  expect(isNear({ lat: 24.4869, lng: 54.3634 }, [SAFA, MARINA])).toBe(false);
  expect(isNear(SAFA, [])).toBe(false);
});
