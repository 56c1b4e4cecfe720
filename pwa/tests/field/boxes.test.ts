import { expect, test } from 'vitest';

import {
  boxesOf,
  inOne,
  inside,
  isMeasured,
  measureOf,
  moved,
  nameOf,
  type Box,
} from '../../src/field/flow/boxes';
import { boxesBack, boxesWith, staysBack } from '../../src/field/flow/job-labels';
import type { Known } from '../../src/field/work';
import { KETTLE, line, MACHINE, pickList } from './floor';

const LIST = pickList([MACHINE, KETTLE]).body;
const [FIRST, SECOND, THIRD] = [
  { fulfilment_line_id: 'line-WM', n: 1 },
  { fulfilment_line_id: 'line-WM', n: 2 },
  { fulfilment_line_id: 'line-KET', n: 1 },
];
const goods = (boxes: Box[]): unknown[] => boxes.map((box) => box.goods);
const weights = (boxes: Box[]): number[] => boxes.map((box) => box.weight_g);

test('the goods make their boxes in the order of the list', () => {
  expect(weights(boxesOf(LIST))).toEqual([68_000, 68_000, 1_500]);
  expect(goods(boxesOf(LIST))).toEqual([[FIRST], [SECOND], [THIRD]]);
});

test('a piece goes into another box with its weight, and no box stays empty', () => {
  const boxes = moved(LIST, boxesOf(LIST), THIRD, 1);
  expect(goods(boxes)).toEqual([[FIRST], [SECOND, THIRD]]);
  expect(weights(boxes)).toEqual([68_000, 69_500]);
  expect(moved(LIST, boxes, THIRD, 1)).toEqual(boxes);
});

test('a piece comes into a box of its own again', () => {
  const boxes = moved(LIST, moved(LIST, boxesOf(LIST), THIRD, 0), THIRD, 2);
  expect(goods(boxes)).toEqual([[FIRST], [SECOND], [THIRD]]);
  expect(weights(boxes)).toEqual([68_000, 68_000, 1_500]);
});

test('all of it is in one box, which weighs what all weigh', () => {
  const [box, ...none] = inOne(boxesOf(LIST));
  expect([box?.weight_g, box?.goods, none]).toEqual([137_500, [FIRST, SECOND, THIRD], []]);
});

test('the pieces of one unit are told apart', () => {
  const list = pickList([line('AC', 2, { pieces: 4 })]).body;
  const names = boxesOf(list).flatMap((box) => box.goods ?? []);
  expect(names.map((one) => nameOf(list, one))).toEqual([
    'The AC 1/2',
    'The AC 2/2',
    'The AC 1/2',
    'The AC 2/2',
  ]);
});

const labelled = (label_no: string, ...lines: string[]): unknown => ({
  label_no,
  goods: lines.map((one) => ({
    fulfilment_line_id: one,
    name: `The ${one}`,
    quantity: 2,
    part: 1,
    parts: one === 'AC' ? 2 : 1,
  })),
});
const STOP = {
  kind: 'stop',
  id: 's',
  body: {
    goods: [
      { fulfilment_line_id: 'AC', quantity: 2 },
      { fulfilment_line_id: 'KET', quantity: 2 },
    ],
    pieces: [labelled('A-1', 'AC'), labelled('A-2', 'AC', 'KET'), labelled('A-3')],
  },
} as unknown as Known;

test('a label tells what is in its box', () => {
  if (STOP.kind !== 'stop') throw new Error('no stop');
  expect(STOP.body.pieces.map((piece) => inside(piece.goods))).toEqual([
    '2 × The AC 1/2',
    '2 × The AC 1/2 · 2 × The KET',
    '',
  ]);
  expect(boxesWith(STOP, 'AC').map((one) => one.label_no)).toEqual(['A-1', 'A-2']);
});

test.each([
  [[['AC', 2]], ['A-1']],
  [[['AC', 1]], []],
  [
    [
      ['AC', 2],
      ['KET', 2],
    ],
    ['A-1', 'A-2'],
  ],
])('of what is kept back, %j, these boxes stay: %j', (kept, boxes) => {
  const back = kept.map(([id, quantity]) => ({
    fulfilment_line_id: String(id),
    quantity: Number(quantity),
    serials: [],
    reason: 'refused',
  }));
  expect(['A-1', 'A-2', 'A-3'].filter((one) => staysBack(STOP, one, back))).toEqual(boxes);
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

const KETTLES = {
  kind: 'stop',
  id: 's',
  body: {
    goods: [{ fulfilment_line_id: 'KET', quantity: 3 }],
    pieces: ['A-1', 'A-2', 'A-3'].map((label_no) => ({
      label_no,
      goods: [{ fulfilment_line_id: 'KET', name: 'Kettle', quantity: 1, part: 1, parts: 1 }],
    })),
  },
} as unknown as Known;

test.each([
  [0, 0],
  [1, 1],
  [3, 3],
])('of equal boxes any come back: of %i pieces that are kept, %i', (quantity, boxes) => {
  const kept = [{ fulfilment_line_id: 'KET', quantity, serials: [], reason: 'refused' }];
  expect(boxesBack(KETTLES, { kept_back: quantity === 0 ? [] : (kept as never) })).toBe(boxes);
});

test('no box comes back of which something is handed over, or nothing is known', () => {
  const kept = [{ fulfilment_line_id: 'KET', quantity: 1, serials: [], reason: 'refused' }];
  expect(boxesBack(STOP, { kept_back: kept as never })).toBe(0);
});

test('a box that must come back is told from one that is handed over', () => {
  const kept = [{ fulfilment_line_id: 'KET', quantity: 1, serials: [], reason: 'refused' }];
  const answers = { kept_back: kept as never };
  expect(boxesBack(KETTLES, answers, ['A-1'])).toBe(1);
  expect(boxesBack(KETTLES, answers, ['A-1', 'A-2'])).toBe(1);
  // With the last of its kind handed over as well, nothing is left to come back.
  expect(boxesBack(KETTLES, answers, ['A-1', 'A-2', 'A-3'])).toBe(0);
});
