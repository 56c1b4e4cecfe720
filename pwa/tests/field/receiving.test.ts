import { expect, test } from 'vitest';

import { isAllIn, received } from '../../src/field/flow/arrived';
import { aside, counted, mayBe, read, type Beep } from '../../src/field/flow/receiving';
import { arrival, expected } from './floor';

const beep = (scan_uid: string, code: string, other: Partial<Beep> = {}): Beep => ({
  scan_uid,
  code,
  quantity: 1,
  grade: 'sellable',
  captured_at: '2026-11-26T08:00:00Z',
  ...other,
});

const ARRIVAL = arrival([
  expected('WM', 2, { serialised: true, serials: ['WM-1', 'WM-2'] }),
  expected('KET', 3, { received: 1 }),
]).body;
const after = (...beeps: Beep[]) => ({ ...ARRIVAL, scans: counted(ARRIVAL, beeps) });

test('goods without serials come in by their number, and no more than are expected', () => {
  expect(read(ARRIVAL, { code: 'BAR-KET', quantity: 2 })).toMatchObject({ as: 'right' });
  expect(read(ARRIVAL, { code: 'BAR-KET', quantity: 3 })).toMatchObject({ as: 'over' });
  const begun = after(beep('1', 'BAR-KET', { quantity: 2 }));
  expect(received(begun, 'KET')).toEqual({ received: 3, of: 3 });
  expect(read(begun, { code: 'BAR-KET', quantity: 1 })).toMatchObject({ as: 'over' });
});

test('a barcode of goods with serials asks for the serial, which may come alone as well', () => {
  expect(read(ARRIVAL, { code: 'BAR-WM', quantity: 1 })).toMatchObject({ as: 'serial_needed' });
  expect(read(ARRIVAL, { code: 'bar-wm', serial: 'WM-1', quantity: 1 })).toMatchObject({
    as: 'right',
    heard: { code: 'BAR-WM', serial: 'WM-1', quantity: 1 },
  });
  expect(read(ARRIVAL, { code: 'wm-2', quantity: 4 })).toMatchObject({
    as: 'right',
    heard: { code: 'WM-2', quantity: 1 },
  });
  const begun = after(beep('1', 'BAR-WM', { serial: 'WM-1' }));
  expect(read(begun, { code: 'WM-1', quantity: 1 })).toMatchObject({ as: 'again' });
});

test('another serial than was announced is taken, for the office to look at', () => {
  const other = { code: 'BAR-WM', serial: 'WM-77', quantity: 1 };
  expect(read(ARRIVAL, other)).toMatchObject({ as: 'unsure' });
  const any = arrival([expected('WM', 2, { serialised: true })]).body;
  expect(read(any, other)).toMatchObject({ as: 'right' });
  expect(read(ARRIVAL, { code: 'rubbish', quantity: 1 })).toEqual({ as: 'unknown' });
});

test('a beep that was taken back counts no more, whoever has counted it before', () => {
  const first = beep('1', 'BAR-KET', { quantity: 2 });
  const back = beep('2', 'BAR-KET', { takes_back: '1' });
  expect(received(after(first, back), 'KET').received).toBe(1);
  const known = after(first);
  expect(counted(known, [back])).toEqual([]);
});

test('a beep that the documents know of counts once; wrong ones count for nothing', () => {
  const first = beep('1', 'BAR-KET');
  const known = after(first);
  expect(counted(known, [first, beep('2', 'rubbish')])).toHaveLength(1);
});

test('all is in when every product is', () => {
  const all = [
    beep('1', 'BAR-KET', { quantity: 2 }),
    beep('2', 'WM-1'),
    beep('3', 'BAR-WM', { serial: 'WM-2' }),
  ];
  expect(isAllIn(after(...all.slice(0, 2)))).toBe(false);
  expect(isAllIn(after(...all))).toBe(true);
});

test('only what comes back may be scrap', () => {
  expect(mayBe('scrap', ARRIVAL)).toBe(false);
  expect(mayBe('open_box', ARRIVAL)).toBe(true);
  expect(mayBe('scrap', { ...ARRIVAL, kind: 'customer_return' })).toBe(true);
});

test('what counts nowhere is put aside, until it is taken back', () => {
  const beeps = [beep('1', 'rubbish'), beep('2', 'BAR-KET', { quantity: 3 }), beep('3', 'BAR-KET')];
  expect(aside(ARRIVAL, beeps).map((one) => one.scan_uid)).toEqual(['1', '2']);
  const back = [...beeps, beep('4', 'rubbish', { takes_back: '1' })];
  expect(aside(ARRIVAL, back).map((one) => one.scan_uid)).toEqual(['2']);
});
