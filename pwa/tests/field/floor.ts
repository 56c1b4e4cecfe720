/** Jobs of the floor as the server describes them, for the tests of this folder. */

import type { Bodies, Known } from '../../src/field/work';

type Line = Bodies['pick_list']['lines'][number];

export const line = (sku: string, quantity: number, other: Partial<Line> = {}): Line => ({
  fulfilment_line_id: `line-${sku}`,
  sku,
  name: `The ${sku}`,
  quantity,
  barcode: `BAR-${sku}`,
  serials: [],
  accessories: [],
  pieces: quantity,
  weight_g: 1_500,
  length_mm: 300,
  width_mm: 200,
  height_mm: 100,
  packing_instruction: '',
  serialised: false,
  bin: '',
  ...other,
});

export const MACHINE = line('WM', 2, {
  serials: ['WM-0001', 'WM-0002', 'WM-0003'],
  serialised: true,
  accessories: [{ code: 'HOSE', name: 'Inlet hose' }],
  weight_g: 68_000,
});
export const KETTLE = line('KET', 1);

export const pickList = (
  lines: Line[],
  other: Partial<Bodies['pick_list']> = {},
): Extract<Known, { kind: 'pick_list' }> => ({
  kind: 'pick_list',
  id: 'p',
  body: {
    id: 'p',
    fulfilment_id: 'f',
    picker_id: null,
    state: 'open',
    created_at: '2026-11-26T08:00:00Z',
    late_at: '2026-11-27T08:00:00Z',
    number: 'DS-000001',
    lines,
    scans: [],
    ...other,
  },
});

type Expected = Bodies['arrival']['lines'][number];

export const expected = (
  sku: string,
  quantity: number,
  other: Partial<Expected> = {},
): Expected => ({
  sku,
  name: `The ${sku}`,
  barcode: `BAR-${sku}`,
  serialised: false,
  bin: '',
  quantity,
  received: 0,
  serials: [],
  ...other,
});

export const arrival = (
  lines: Expected[],
  other: Partial<Bodies['arrival']> = {},
): Extract<Known, { kind: 'arrival' }> => ({
  kind: 'arrival',
  id: 'a',
  body: {
    id: 'a',
    number: 'RC-1',
    kind: 'purchase',
    ref: 'PO-1',
    state: 'expected',
    expected_on: null,
    order_number: null,
    lines,
    scans: [],
    aside: [],
    ...other,
  },
});
