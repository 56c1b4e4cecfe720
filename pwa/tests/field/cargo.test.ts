import { expect, test } from 'vitest';

import {
  beeped,
  fetched,
  notBack,
  reported,
  settled,
  standing,
  toScan,
  waiting,
  type CargoPiece,
} from '../../src/field/flow/cargo';
import { touched } from '../../src/field/flow/touched';
import { asDone } from '../../src/field/flow/done';
import { steps, type Form, type Slot } from '../../src/field/flow/forms';
import { labels, onVan } from '../../src/field/flow/job-labels';
import { offers } from '../../src/field/flow/offers';
import { find, screenOf, type Known } from '../../src/field/work';
import type { StoredDocument } from '../../src/shared/sync/schema';

const piece = (label_no: string, next: CargoPiece['next'] = 'departure'): CargoPiece => ({
  label_no, n: 1, of: 1, weight_g: 1, number: 'DS-1', destination: 'Dubai', goods: [], next, reported: null,
}); // prettier-ignore
const cargo = (...pieces: CargoPiece[]): Known => ({ kind: 'cargo', id: 'p', body: { pieces } });
const slot = (scan_kind: Slot['scan_kind']): Slot =>
  ({ name: 'scans', type: 'scans', required: false, proof: null, options: [], scan_kind }) as Slot;
const form = (name: string, job: string | null, ...slots: Slot[]): Form =>
  ({ name, job, position: 0, slots, capture: 'scans.add' }) as unknown as Form;
const stored = (one: Form): StoredDocument =>
  ({ person_id: 'p', kind: 'form', id: one.name, body: one }) as unknown as StoredDocument;

const FORMS = [
  form('depart', 'cargo', slot('departure')),
  form('hub_in', 'cargo', slot('hub_in')),
  form('hub_out', 'cargo', slot('hub_out')),
  { ...form('report_piece', null), offered_on: ['manifest', 'cargo', 'shift'] },
  form('load', 'shift', slot('load')),
  form('take_over', 'shift', slot('transfer')),
  form('close_shift', 'shift'),
  form('open_shift', 'shift'),
  form('pick_up', 'manifest'),
].map(stored);
const names = (job: Known): string[] => offers(job, FORMS, new Map()).map((one) => one.name);
const nexts = (pieces: CargoPiece[]) => pieces.map((one) => [one.label_no, one.next]);

test('what was fetched here is in the hands before the server knows, and goes from scan to scan', () => {
  const { next: _next, reported: _told, ...plain } = piece('A-1');
  let change = fetched(null, [plain], 1);
  expect(nexts(standing([], change))).toEqual([['A-1', 'departure']]);
  change = beeped(change, 'A-1', 'departure', 2);
  expect(nexts(standing([], change))).toEqual([['A-1', 'hub_in']]);
  // The server knows of the pickup by now, and not of the departure.
  expect(nexts(standing([piece('A-1')], change))).toEqual([['A-1', 'hub_in']]);
  change = beeped(change, 'A-1', 'hub_in', 3);
  expect(nexts(standing([piece('A-1')], change))).toEqual([['A-1', 'hub_out']]);
  change = beeped(change, 'A-1', 'hub_out', 4);
  expect(nexts(standing([piece('A-1', 'hub_out')], change))).toEqual([['A-1', 'hub_in']]);
});

test('what is damaged stays so from scan to scan, and what was missing is found by one', () => {
  for (const [kind, after] of [
    ['damaged', 'damaged'],
    ['missing', null],
  ] as const) {
    const told = reported(null, { labels: ['A-1'], kind }, 1);
    const [here] = standing([piece('A-1')], beeped(told, 'A-1', 'departure', 2));
    expect([here?.next, here?.reported]).toEqual(['hub_in', after]);
    const known = { ...piece('A-1'), reported: kind };
    expect(standing([known], beeped(null, 'A-1', 'departure', 2))[0]?.reported).toBe(after);
  }
});

test('a label that is in nobody’s hands changes none', () => {
  const change = beeped(null, 'OTHER', 'departure', 1);
  expect(standing([piece('A-1')], change)).toEqual([piece('A-1')]);
});

test('what is missing is not waited for until it is scanned; what is damaged is', () => {
  let change = reported(null, { labels: ['A-1'], kind: 'missing' }, 1);
  change = reported(change, { labels: ['A-2'], kind: 'damaged' }, 2);
  const pieces = standing([piece('A-1'), piece('A-2')], change);
  expect(pieces.map((one) => one.reported)).toEqual(['missing', 'damaged']);
  expect(waiting(pieces, 'departure').map((one) => one.label_no)).toEqual(['A-2']);
  change = beeped(change, 'A-1', 'departure', 3);
  const [found] = standing([{ ...piece('A-1'), reported: 'missing' }], change);
  expect([found?.reported, found?.next]).toEqual([null, 'hub_in']);
});

test('a form that is taken up again counts what was scanned before it was left', () => {
  const pieces = [piece('A-1', 'hub_in'), piece('A-2'), piece('A-3', 'hub_out')];
  expect(toScan(pieces, 'departure', ['A-1'])).toEqual(['A-1', 'A-2']);
  expect(toScan(pieces, 'departure', [])).toEqual(['A-2']);
  const job = cargo(...pieces);
  const depart = form('depart', 'cargo', slot('departure'));
  const answered = (...seen: string[]) =>
    steps(depart, job, { version: '', begun_ms: 0, answers: { scans: seen }, passed: [] })[0]
      ?.answered;
  expect([answered('A-1'), answered('A-1', 'A-2')]).toEqual([false, true]);
  expect(labels(job)).toEqual(['A-1', 'A-2', 'A-3']);
});

test('hands offer the scans that their boxes wait for, in the order of the way', () => {
  expect(names(cargo())).toEqual([]);
  expect(names(cargo(piece('A-1')))).toEqual(['depart', 'report_piece']);
  expect(names(cargo(piece('A-1', 'hub_out'), piece('A-2', 'hub_in')))).toEqual([
    'hub_in', 'hub_out', 'report_piece',
  ]); // prettier-ignore
});

const SHIFT = {
  kind: 'shift', id: 's',
  body: {
    state: 'open',
    loading: { pieces: [{ label_no: 'L-1', loaded: true }, { label_no: 'L-2', loaded: false }] },
    holding: { parcels: [{ labels: ['H-1', 'H-2'] }] },
  },
} as unknown as Known; // prettier-ignore

test('an open shift takes over from another van, and knows what it has already', () => {
  expect(names(SHIFT)).toEqual(['load', 'take_over', 'report_piece', 'close_shift']);
  expect(onVan(SHIFT)).toEqual(['L-1', 'H-1', 'H-2']);
  expect(onVan(cargo(piece('A-1')))).toEqual([]);
});

const MANIFEST = {
  kind: 'manifest', id: 'm', body: { number: 'MF-1', pieces: [piece('A-1')] },
} as unknown as Known; // prettier-ignore
const at = { hands: 'cargo:p', changes: new Map(), at: 1 };

test('a pickup ends its manifest and fills the hands; a report leaves its job as it stands', () => {
  expect(names(MANIFEST)).toEqual(['report_piece', 'pick_up']);
  const picked = touched({ name: 'pick_up' }, MANIFEST, { counted: 1 }, [], at);
  expect(Object.keys(picked)).toEqual(['manifest:m', 'cargo:p']);
  const changes = new Map(Object.entries(picked)) as never;
  const hands = find([], 'cargo', 'p');
  expect(hands).toEqual(cargo());
  const job = asDone(hands as Known, changes);
  expect(job.kind === 'cargo' && nexts(job.body.pieces)).toEqual([['A-1', 'departure']]);
  expect(offers(job, FORMS, changes).map((one) => one.name)).toEqual(['depart', 'report_piece']);
  const told = { labels: ['A-1'], kind: 'damaged' };
  expect(Object.keys(touched({ name: 'report_piece' }, MANIFEST, told, [], at))).toEqual([
    'cargo:p',
  ]);
  expect(touched({ name: 'stock_differs' }, find([], 'none', 'none') as Known, {}, [], at)).toEqual(
    {},
  );
  expect(screenOf('cargo', 'p')).toBe('#/job/cargo/p');
});

test('what was scanned back on this phone is on the van no more, and nothing else is', () => {
  const back = beeped(beeped(null, 'A-1', 'custody', 1), 'X-9', 'custody', 2);
  const pieces = [{ label_no: 'A-1' }, { label_no: 'A-2' }];
  expect(notBack(pieces, back)).toEqual([{ label_no: 'A-2' }]);
  expect(notBack(pieces, { form: 'scan_back', at: 1 })).toEqual(pieces);
});

test('what was scanned in an earlier round is scanned once more when the box comes again', () => {
  const hub_in = form('hub_in', 'cargo', slot('hub_in'));
  const before = { version: 'v', begun_ms: 1, answers: { scans: ['A-1', 'A-2'] }, passed: [] };
  const again = settled(hub_in, cargo(piece('A-1', 'hub_in'), piece('A-2', 'hub_out')), before);
  expect(again.answers['scans']).toEqual(['A-2']);
  expect(settled(hub_in, { kind: 'none', id: 'none', body: {} }, before)).toBe(before);
});
