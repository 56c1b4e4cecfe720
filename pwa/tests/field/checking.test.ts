import { expect, test } from 'vitest';

import { missing, read, tally } from '../../src/field/flow/checking';
import type { Bodies } from '../../src/field/work';
import { KETTLE, line, MACHINE, pickList } from './floor';

type List = Bodies['pick_list'];

/** The list after these codes were scanned, and what the last of them was. */
function after(list: List, ...codes: string[]): List {
  return codes.reduce((before, code, n) => {
    const reading = read(before, code);
    if (!reading.right) return before;
    const { kind, sku } = reading;
    const scan = { scan_uid: String(n), kind, sku, code: reading.code };
    return { ...before, scans: [...before.scans, scan] };
  }, list);
}

const LIST = pickList([MACHINE, KETTLE]).body;

test('one scan tells barcode, serial and accessory apart, however it is typed', () => {
  expect(read(LIST, 'BAR-WM')).toMatchObject({ right: true, kind: 'barcode', sku: 'WM' });
  expect(read(LIST, 'hose')).toMatchObject({ right: true, kind: 'accessory', code: 'HOSE' });
  expect(read(LIST, 'wm-0002')).toEqual({
    right: true, kind: 'serial', sku: 'WM', code: 'WM-0002', unsure: false,
  }); // prettier-ignore
});

test('everything is counted, and what is missing is named by what it is', () => {
  expect(tally(LIST)).toEqual({ done: 0, of: 7 });
  const begun = after(LIST, 'BAR-WM', 'BAR-WM', 'HOSE', 'WM-0001', 'BAR-KET');
  expect(tally(begun)).toEqual({ done: 5, of: 7 });
  expect(missing(begun).map(({ kind, name, count }) => [kind, name, count])).toEqual([
    ['serial', 'The WM', 1],
    ['accessory', 'Inlet hose', 1],
  ]);
  expect(missing(after(begun, 'HOSE', 'WM-0003'))).toEqual([]);
});

test('more than is wanted, and what was scanned already, counts for nothing', () => {
  const begun = after(LIST, 'BAR-KET', 'WM-0001');
  expect(read(begun, 'BAR-KET')).toEqual({ right: false, why: 'enough' });
  expect(read(begun, 'wm-0001')).toEqual({ right: false, why: 'again' });
  expect(read(after(begun, 'WM-0002'), 'WM-0003')).toEqual({ right: false, why: 'enough' });
});

test('a serial that the list does not name is taken for the office to look at', () => {
  expect(read(LIST, 'WM-9999')).toMatchObject({ right: true, kind: 'serial', unsure: true });
  // Where all listed ones are gone meanwhile nothing tells what a serial looks like.
  const gone = pickList([{ ...MACHINE, serials: [] }]).body;
  expect(read(gone, 'ANY-NUMBER')).toMatchObject({ right: true, sku: 'WM', unsure: true });
});

test.each(['rubbish', '6291100000017', '12345678', 'HOSE-2', 'WM-X001'])('%s is wrong', (code) => {
  expect(read(LIST, code)).toEqual({ right: false, why: 'unknown' });
  expect(read(pickList([KETTLE]).body, code)).toEqual({ right: false, why: 'unknown' });
});

test('a barcode of other goods is no serial, also where no serial is listed', () => {
  const gone = pickList([{ ...MACHINE, serials: [] }]).body;
  expect(read(gone, '6291100000017')).toEqual({ right: false, why: 'unknown' });
});

test('a product on two lines is wanted as often as both say', () => {
  const twice = pickList([line('KET', 1), line('KET', 2)]).body;
  expect(tally(after(twice, 'BAR-KET', 'BAR-KET'))).toEqual({ done: 2, of: 3 });
  expect(missing(after(twice, 'BAR-KET', 'BAR-KET', 'BAR-KET'))).toEqual([]);
});
