import { expect, test } from 'vitest';

import { changed, changeOf, type Change } from '../../src/field/flow/changes';
import { asDone } from '../../src/field/flow/done';
import type { Answers } from '../../src/field/flow/forms';
import { offers } from '../../src/field/flow/offers';
import { isOver } from '../../src/field/flow/over';
import { touched } from '../../src/field/flow/touched';
import type { Known } from '../../src/field/work';
import type { StoredDocument } from '../../src/shared/sync/schema';
import type { Json } from '../../src/shared/sync/wire';
import { arrival, expected, KETTLE, MACHINE, pickList } from './floor';

const FORMS = ['start_pick', 'check', 'pack', 'pick_again'].map((name, position) => ({
  person_id: 'p', kind: 'form', id: name, body: { name, job: 'pick_list', position, slots: [] },
})) as unknown as StoredDocument[]; // prettier-ignore
const RECEIVING = ['receive', 'finish_receipt'].map((name, position) => ({
  person_id: 'p', kind: 'form', id: name, body: { name, job: 'arrival', position, slots: [] },
})) as unknown as StoredDocument[]; // prettier-ignore
const COUNTING = ['count', 'finish_count'].map((name, position) => ({
  person_id: 'p', kind: 'form', id: name, body: { name, job: 'count', position, slots: [] },
})) as unknown as StoredDocument[]; // prettier-ignore

type Done = [form: string, said?: Answers];

/** What the phone remembers after these captures, of which the documents know none. */
function done(job: Known, ...captures: Done[]): Map<string, Json> {
  const changes = new Map<string, Json>();
  for (const [form, said = {}] of captures) {
    const ends = ['pack', 'finish_receipt', 'finish_count'].includes(form);
    const made = touched({ name: form, ends }, job, said, [], { hands: '', changes, at: 1 });
    for (const [key, change] of Object.entries(made)) changes.set(key, change as never);
  }
  return changes;
}
const scans = (...codes: string[]): Answers => ({
  scans: codes.map((code) => ({ scan_uid: code, code, captured_at: '' })),
});
const names = (job: Known, changes: Map<string, Json>, forms = FORMS): string[] =>
  offers(asDone(job, changes), forms, changes).map((one) => one.name);

const some = (quantity: number): Answers => ({
  scans: [{ scan_uid: 's', code: 'BAR-KET', quantity, grade: 'sellable', captured_at: '' }],
});

const LIST = pickList([KETTLE, { ...MACHINE, quantity: 1 }]);
const ALL = ['BAR-KET', 'BAR-WM', 'HOSE', 'WM-0001'];

test('cash is in a pocket from the handover on, whatever else was paid', () => {
  const said: Answers = {
    tenders: [
      { method: 'cash', amount_minor: 200_000, reference: '' },
      { method: 'card', amount_minor: 100_000, reference: 'R1' },
      { method: 'cash', amount_minor: 14_800, reference: '' },
    ],
  };
  expect(changed('deliver', said, null, 1)).toMatchObject({ cash_minor: 214_800 });
  expect(changed('deliver', {}, null, 1)).not.toHaveProperty('cash_minor');
});

test('a parcel is picked, checked and packed in this order, all without a signal', () => {
  expect(names(LIST, new Map())).toEqual(['start_pick']);
  expect(names(LIST, done(LIST, ['start_pick']))).toEqual(['check']);
  const begun = done(LIST, ['start_pick'], ['check', scans(...ALL.slice(0, 1))]);
  expect(names(LIST, begun)).toEqual(['check', 'pick_again']);
  const checked = done(LIST, ['start_pick'], ['check', scans(...ALL)]);
  expect(names(LIST, checked)).toEqual(['pack', 'pick_again']);
  const packed = done(LIST, ['start_pick'], ['check', scans(...ALL)], ['pack']);
  expect(names(LIST, packed)).toEqual([]);
  expect(isOver(LIST, packed)).toBe(true);
});

test('a check in parts goes on where it stopped, and ends when all parts make the whole', () => {
  const part: Done[] = [['start_pick'], ['check', scans('BAR-KET', 'rubbish')]];
  const begun = done(LIST, ...part);
  expect(isOver(LIST, begun)).toBe(false);
  expect(asDone(LIST, begun).body.scans.map((scan) => scan.code)).toEqual(['BAR-KET']);
  expect(names(LIST, begun)).toEqual(['check', 'pick_again']);
  const whole = done(LIST, ...part, ['check', scans('BAR-WM', 'HOSE', 'WM-0001')]);
  expect(names(LIST, whole)).toEqual(['pack', 'pick_again']);
});

test('what the documents know of counts once beside what waits on this phone', () => {
  const known = pickList([KETTLE, { ...MACHINE, quantity: 1 }], {
    state: 'picking',
    scans: [{ scan_uid: 'BAR-KET', kind: 'barcode', sku: 'KET', code: 'BAR-KET' }],
  });
  const begun = done(known, ['check', scans('BAR-KET', 'HOSE')]);
  expect(asDone(known, begun).body.scans).toHaveLength(2);
});

test('picking again begins with nothing scanned, whatever the documents still say', () => {
  const known = pickList([KETTLE], {
    state: 'checked',
    scans: [{ scan_uid: '1', kind: 'barcode', sku: 'KET', code: 'BAR-KET' }],
  });
  const again = done(known, ['check', scans('BAR-KET')], ['pick_again']);
  expect(asDone(known, again).body).toMatchObject({ state: 'open', scans: [] });
  expect(names(known, again)).toEqual(['start_pick']);
  const begun = done(known, ['pick_again'], ['start_pick']);
  expect(asDone(known, begun).body).toMatchObject({ state: 'picking', scans: [] });
  const checked = done(known, ['pick_again'], ['start_pick'], ['check', scans('BAR-KET')]);
  expect(names(known, checked)).toEqual(['pack', 'pick_again']);
});

test('a receipt stays open until it is said to be all, and is finished first once all is in', () => {
  const job = arrival([expected('KET', 2)]);
  expect(names(job, new Map(), RECEIVING)).toEqual(['receive']);
  const begun = done(job, ['receive', some(1)]);
  expect(isOver(job, begun)).toBe(false);
  expect(names(job, begun, RECEIVING)).toEqual(['receive', 'finish_receipt']);
  expect(names(job, done(job, ['receive', some(2)]), RECEIVING)).toEqual([
    'finish_receipt',
    'receive',
  ]);
  expect(isOver(job, done(job, ['receive', some(2)], ['finish_receipt']))).toBe(true);
});

const shelf = (id: string): object => ({ id, counted: false });
const entries = (...ids: string[]): Answers => ({
  entries: ids.map((line_id) => ({ line_id, quantity: 7 })),
});

test('a count that is saved in parts shows what is counted, and is finished when all is', () => {
  const job = {
    kind: 'count',
    id: 'c',
    body: { lines: [shelf('1'), shelf('2')] },
  } as unknown as Extract<Known, { kind: 'count' }>;
  const begun = done(job, ['count', entries('1')]);
  expect(asDone(job, begun).body.lines.map((one) => one.counted)).toEqual([true, false]);
  expect(asDone(job, begun).body.lines.map((one) => one.found)).toEqual([7, undefined]);
  expect(names(job, begun, COUNTING)).toEqual(['count']);
  const whole = done(job, ['count', entries('1')], ['count', entries('2')]);
  expect(asDone(job, whole).body.lines.every((one) => one.counted)).toBe(true);
  expect(isOver(job, whole)).toBe(false);
  // A slip is counted once more, until it is said that everything is.
  expect(names(job, whole, COUNTING)).toEqual(['finish_count', 'count']);
  const over = done(job, ['count', entries('1', '2')], ['finish_count']);
  expect(isOver(job, over)).toBe(true);
  expect(asDone(job, over).body.lines.every((one) => one.counted)).toBe(true);
});

test('a job that nothing was done on is shown as the documents say', () => {
  const other: Map<string, Json> = new Map([['pick_list:x', { form: 'pack', at: 1 }]]);
  expect(asDone(LIST, other)).toBe(LIST);
  expect(changeOf(LIST, other)).toBeNull();
  const visit = { kind: 'visit', id: 'v', body: {} } as unknown as Known;
  const change: Change = { form: 'start_visit', at: 1 };
  expect(asDone(visit, new Map([['visit:v', change as never]]))).toBe(visit);
});
