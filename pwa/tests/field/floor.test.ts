import { expect, test } from 'vitest';

import {
  begin,
  payload,
  steps,
  type Answers,
  type Form,
  type Slot,
} from '../../src/field/flow/forms';
import { isPart } from '../../src/field/flow/partly';
import { productsOf } from '../../src/field/flow/products';
import { itemKey } from '../../src/field/flow/shift-items';
import { find, NO_JOB, screenOf, toPack, type Job, type Known } from '../../src/field/work';
import type { StoredDocument } from '../../src/shared/sync/schema';
import { arrival, expected, KETTLE, MACHINE, pickList } from './floor';

const form = (name: string, job: string | null, name_of: string, type: Slot['type']): Form => ({
  name, position: 0, job, job_id: job === null ? null : 'fulfilment_id', capture: 'x', schema: 1,
  undo: false, version: 'v', beside: [], offered_on: [], ends: false,
  slots: [{ name: name_of, type, required: true, proof: null, options: [], scan_kind: null }],
}); // prettier-ignore
const filled = (of: Form, answers: Answers) => ({ ...begin(of, 0), answers });
const answered = (of: Form, job: Known, answers: Answers): boolean | undefined =>
  steps(of, job, filled(of, answers))[0]?.answered;

const CHECK = form('check', 'pick_list', 'scans', 'codes');
const LIST = pickList([KETTLE], { state: 'picking' });
const scan = (code: string): Answers => ({
  scans: [{ scan_uid: 'u', code, captured_at: '2026-11-26T08:00:00Z' }],
});

test('a check may be saved in part, but not with nothing', () => {
  expect(answered(CHECK, LIST, {})).toBe(false);
  expect(answered(CHECK, LIST, scan('rubbish'))).toBe(true);
  expect(isPart(CHECK, LIST, filled(CHECK, scan('rubbish')))).toBe(true);
  expect(isPart(CHECK, LIST, filled(CHECK, scan('BAR-KET')))).toBe(false);
  expect(payload(CHECK, LIST, filled(CHECK, scan('BAR-KET')), 0)).toEqual({
    fulfilment_id: 'f',
    ...scan('BAR-KET'),
  });
});

test('boxes are there when each is measured', () => {
  const pack = form('pack', 'pick_list', 'pieces', 'boxes');
  const box = { weight_g: 1, length_mm: 1, width_mm: 1, height_mm: 1 };
  expect(answered(pack, LIST, { pieces: [box] })).toBe(true);
  expect(answered(pack, LIST, { pieces: [box, { ...box, weight_g: 0 }] })).toBe(false);
});

test('a checklist is answered item by item', () => {
  const check = form('shift_checklist', 'shift_checklist', 'answers', 'answers');
  const job = {
    kind: 'shift_checklist',
    id: 'p',
    body: { items: [{ code: 'a' }, { code: 'b' }] },
  } as unknown as Known;
  const one = { code: 'a', ok: true, words: '' };
  expect(answered(check, job, { answers: [one] })).toBe(false);
  expect(answered(check, job, { answers: [one, { ...one, code: 'b' }] })).toBe(true);
});

test('an item of ours has words in each language, one of a location its own', () => {
  const item = { code: 'van_stock', words: 'Van is empty', usual: true };
  expect(itemKey(item)).toBe('shift_item_van_stock');
  expect(itemKey({ ...item, usual: false })).toBeNull();
  expect(itemKey({ ...item, code: 'newer_than_this_app' })).toBeNull();
});

test('words that are wanted say something', () => {
  const words = form('stock_differs', null, 'words', 'words');
  expect(answered(words, NO_JOB, { words: ' ab ' })).toBe(false);
  expect(answered(words, NO_JOB, { words: 'wet' })).toBe(true);
});

test('a form of no job is found, captured without one, and ends on the list of the day', () => {
  expect(find([], 'none', 'none')).toBe(NO_JOB);
  const alone = form('unexpected_goods', null, 'code', 'code');
  expect(payload(alone, NO_JOB, filled(alone, { code: 'X' }), 0)).toEqual({ code: 'X' });
  expect([screenOf('none', 'none'), screenOf('shift', 's')]).toEqual(['#/', '#/']);
  expect(screenOf('pick_list', 'p')).toBe('#/job/pick_list/p');
});

test('parcels are late from the moment that the office has named', () => {
  const day = Date.parse('2026-11-27T08:00:01Z');
  const fresh = pickList([KETTLE], { late_at: '2026-11-30T07:00:00Z' });
  const open: Job[] = [LIST, fresh, arrival([expected('KET', 1)])];
  expect(toPack(open, day)).toEqual({ count: 2, late: 1, next: '2026-11-30T07:00:00Z' });
});

test('goods are known by the jobs that name them, also after these are over', () => {
  const documents = [pickList([KETTLE, MACHINE]), arrival([expected('KET', 1)])];
  const known = productsOf(documents as unknown as StoredDocument[]);
  expect(known.map((one) => one.sku)).toEqual(['KET', 'WM']);
  expect(productsOf([], known)).toEqual(known);
});
