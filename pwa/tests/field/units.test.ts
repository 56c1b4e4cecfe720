import { expect, test } from 'vitest';

import type { Json } from '../../src/shared/sync/wire';
import {
  answered,
  areWhole,
  asks,
  changed,
  differs,
  isWhole,
  noted,
  scanned,
  units,
  type Unit,
} from '../../src/field/flow/units';
import { item, line, visit } from './visit';

const BOLTS = item('bolts', 'check');
const DEGREES = item('degrees', 'number');
const NOTE = item('note', 'text');

const MACHINE = line('machine', { serialised: true, serials: ['M-1', 'M-2'], quantity: 2 }, [
  BOLTS,
]);
const COOLER = line('cooler', { serialised: true, serials: ['C-1'] }, [DEGREES, NOTE]);
const SHELF = line('shelf', { serialised: false });

const none = (...lines: Parameters<typeof visit>[0]): Unit[] => units(visit(lines), undefined);
const json = (all: Unit[]): Json => noted(all) as unknown as Json;

/** Note serials one after the other, as they are scanned with the first piece in hand. */
function scans(all: Unit[], ...codes: string[]): string[] {
  let open = 0;
  for (const code of codes) {
    const found = scanned(all, open, code);
    if (found === null || found.twice) continue;
    open = found.at;
    all = changed(all, found.at, { serial: found.serial });
  }
  return all.map((unit) => unit.serial);
}

test('each piece of a line stands for itself, with what was noted of it', () => {
  const job = visit([MACHINE, SHELF]);
  const all = units(job, undefined);
  expect(all.map((unit) => [unit.line.fulfilment_line_id, unit.n])).toEqual([
    ['machine', 1],
    ['machine', 2],
    ['shelf', 1],
  ]);
  const after = changed(answered(all, 0, BOLTS, true), 1, { serial: 'M-2' });
  expect(units(job, json(after))).toEqual(after);
  expect(noted(after)[1]).toEqual({
    fulfilment_line_id: 'machine',
    checklist_id: 'list of machine',
    serial: 'M-2',
    answers: {},
  });
});

test('a piece is done with its serial and an answer to everything, and not before', () => {
  const [first] = none(COOLER);
  let all = [first as Unit];
  expect(isWhole(all[0] as Unit)).toBe(false);
  all = changed(all, 0, { serial: 'C-1' });
  all = answered(all, 0, DEGREES, 0);
  expect(isWhole(all[0] as Unit)).toBe(false);
  all = answered(all, 0, NOTE, 'By the window.');
  expect(isWhole(all[0] as Unit)).toBe(true);
  expect(isWhole(changed(all, 0, { serial: '' })[0] as Unit)).toBe(false);
  expect(isWhole(answered(all, 0, DEGREES, null)[0] as Unit)).toBe(false);
});

test.each([
  [BOLTS, false],
  [BOLTS, 'yes'],
  [DEGREES, '21'],
  [DEGREES, 1_000_001],
  [DEGREES, Number.NaN],
  [NOTE, ''],
  [NOTE, 'x'.repeat(301)],
] as const)('%j is not answered by %j', (asked, value) => {
  const all = none(line('any', {}, [asked]));
  expect(answered(all, 0, asked, value)[0]?.answers).toEqual({});
});

test('a visit is done when every piece is, and one that asks nothing when somebody has said so', () => {
  const job = visit([MACHINE, SHELF]);
  let all = units(job, undefined);
  expect(areWhole(job, json(all))).toBe(false);
  all = [0, 1].reduce((now, at) => answered(now, at, BOLTS, true), all);
  all = changed(changed(all, 0, { serial: 'M-1' }), 1, { serial: 'ANOTHER' });
  expect(areWhole(job, json(all))).toBe(true);
  expect(all.map(differs)).toEqual([false, true, false]);

  const shelf = visit([SHELF]);
  expect(units(shelf, undefined).some(asks)).toBe(false);
  expect(areWhole(shelf, undefined)).toBe(false);
  expect(areWhole(shelf, json(units(shelf, undefined)))).toBe(true);
});

test('what an older checklist was told does not answer a newer one, and is not lost', () => {
  const told = json(answered(none(MACHINE), 0, BOLTS, true));
  const newer = visit([line('machine', {}, [item('bolts', 'number'), BOLTS_TOO])]);
  expect(units(newer, told)[0]?.answers).toEqual({});
  expect(areWhole(newer, told)).toBe(false);
  expect((told as unknown as { answers: object }[])[0]?.answers).toEqual({ bolts: true });
});
const BOLTS_TOO = item('bolts_too', 'check');

test('a serial goes to the piece that expects it, whichever is in hand', () => {
  expect(scans(none(MACHINE, COOLER), 'C-1', 'M-2', 'M-1')).toEqual(['M-2', 'M-1', 'C-1']);
});

test('a serial is known however it was typed', () => {
  expect(scans(none(COOLER), 'c-1')).toEqual(['C-1']);
});

test('whoever types a serial leaves out its dashes', () => {
  const all = none(line('machine', { serialised: true, serials: ['WM-7KG-1940-019'] }));
  expect(scans(all, 'wm7kg1940019')).toEqual(['WM-7KG-1940-019']);
  expect(scans(all, 'wm 7kg 1940 01')).toEqual(['wm 7kg 1940 01']);
});

test('another serial goes to the piece in hand, then to the next one of its line', () => {
  expect(scans(none(MACHINE, COOLER), 'X', 'Y', 'Z')).toEqual(['X', 'Z', '']);
  expect(scans(none(COOLER, MACHINE), 'X', 'C-1')).toEqual(['C-1', '', '']);
});

test('the same serial is not noted on two pieces', () => {
  const all = changed(none(MACHINE), 0, { serial: 'M-1' });
  expect(scanned(all, 1, 'm-1')).toEqual({ at: 0, serial: 'M-1', twice: true });
  expect(scanned(all, 0, 'M-1')).toEqual({ at: 0, serial: 'M-1', twice: false });
});

test('goods without serials take none', () => {
  expect(scanned(none(SHELF), 0, 'X')).toBeNull();
  expect(scans(none(SHELF, COOLER), 'X')).toEqual(['', 'X']);
});
