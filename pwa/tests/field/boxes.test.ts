import { expect, test } from 'vitest';

import { boxesOf, isMeasured, measureOf } from '../../src/field/flow/boxes';
import { KETTLE, MACHINE, pickList } from './floor';

test('the goods make their boxes in the order of the list', () => {
  const weights = boxesOf(pickList([MACHINE, KETTLE]).body).map((box) => box.weight_g);
  expect(weights).toEqual([68_000, 68_000, 1_500]);
});

test.each([
  ['68', 1_000, 68_000],
  ['1.5', 1_000, 1_500],
  ['1,25', 1_000, 1_250],
  ['٣٫٥', 10, 35],
  ['', 10, 0],
  ['heavy', 1_000, 0],
])('%s is read as a measure', (text, unit, value) => {
  expect(measureOf(text, unit)).toBe(value);
});

test('a box has a weight and sizes that can be', () => {
  const [box] = boxesOf(pickList([KETTLE]).body);
  if (box === undefined) throw new Error('no box');
  expect(isMeasured(box)).toBe(true);
  expect(isMeasured({ ...box, weight_g: 0 })).toBe(false);
  expect(isMeasured({ ...box, height_mm: 20_001 })).toBe(false);
});
