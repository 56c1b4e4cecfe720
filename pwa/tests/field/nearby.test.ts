import { expect, test } from 'vitest';

import { away } from '../../src/field/flow/nearby';
import type { Known } from '../../src/field/work';

const stop = (lat: number | null): Known =>
  ({ kind: 'stop', id: 's', body: { address: { lat, lng: 55.27 } } }) as unknown as Known;
const here = (accuracy_m: number) => ({ lat: 25.2, lng: 55.27, accuracy_m });

test('whoever is far from the door is told so before the work, whoever is near or unsure is not', () => {
  expect(Math.round(away(stop(25.225), here(10)) ?? 0)).toBe(2_783);
  expect(away(stop(25.201), here(10))).toBeNull();
  expect(away(stop(25.225), here(2_000))).toBeNull();
  expect(away(stop(null), here(10))).toBeNull();
  expect(away(stop(25.225), undefined)).toBeNull();
  expect(away({ kind: 'none', id: 'none', body: {} }, here(10))).toBeNull();
});
