import { expect, test } from 'vitest';

import { labels } from '../../src/field/flow/job-labels';
import {
  begin,
  due,
  isBeside,
  mayPass,
  next,
  payload,
  photoSlots,
  steps,
  type Answers,
  type Filled,
  type Form,
  type Slot,
} from '../../src/field/flow/forms';
import { isIdle, unscanned } from '../../src/field/flow/partly';
import type { Known } from '../../src/field/work';

const slot = (name: string, type: Slot['type'], other: Partial<Slot> = {}): Slot => ({
  name,
  type,
  required: false,
  proof: null,
  options: [],
  scan_kind: null,
  ...other,
});

const DELIVER: Form = {
  name: 'deliver', position: 0, job: 'stop', job_id: 'stop_id', capture: 'pod.record', schema: 2,
  undo: true, version: 'v1', beside: [], offered_on: [], ends: false,
  slots: [
    slot('place', 'place'),
    slot('receiver', 'receiver', { required: true, proof: 'receiver' }),
    slot('scanned_labels', 'labels', { proof: 'scan' }),
    slot('photos', 'photos', { proof: 'photo' }),
    slot('kept_back', 'kept_back'),
    slot('tenders', 'tenders', { proof: 'tender' }),
    slot('signature', 'signature', { proof: 'signature' }),
    slot('handover_code', 'handover_code', { proof: 'code' }),
  ],
}; // prettier-ignore

const STOP = {
  kind: 'stop',
  id: 's1',
  body: {
    cash_due_minor: 300_00,
    currency: 'AED',
    pieces: [{ label_no: 'A-1' }, { label_no: 'A-2' }],
    goods: [{ fulfilment_line_id: 'l1', quantity: 3, unit_price_minor: 100_00 }],
    recipe: { proofs: ['scan', 'photo', 'code', 'tender'], photo_slots: ['parcel'] },
    recipe_other: { proofs: ['receiver', 'photo', 'tender'], photo_slots: ['parcel', 'badge'] },
  },
} as unknown as Known;

const filled = (answers: Answers, passed: string[] = []): Filled => ({
  version: 'v1',
  begun_ms: 1_000,
  answers,
  passed,
});

const asked = (form: Form, one: Filled): string[] =>
  steps(form, STOP, one)
    .filter((step) => step.required)
    .map((step) => step.slot.name);

const CUSTOMER = { receiver: { name: 'Priya', relation: 'customer' } };
const GUARD = { receiver: { name: '', relation: 'guard' } };
const photo = (name: string) => ({ slot: name, sha256: `hash of ${name}`, preview_sha256: null });

test('the recipe says what is asked, and another one when somebody else takes the goods', () => {
  expect(asked(DELIVER, filled(CUSTOMER))).toEqual([
    'receiver', 'scanned_labels', 'photos', 'tenders', 'handover_code',
  ]); // prettier-ignore
  expect(asked(DELIVER, filled(GUARD))).toEqual(['receiver', 'photos', 'tenders']);
  expect(photoSlots(DELIVER, STOP, CUSTOMER)).toEqual(['parcel']);
  expect(photoSlots(DELIVER, STOP, GUARD)).toEqual(['parcel', 'badge']);
});

test('steps come in their order, and what is done or passed over does not come again', () => {
  let answers: Answers = {};
  const at = (passed: string[] = []): string | undefined =>
    next(steps(DELIVER, STOP, filled(answers, passed)))?.slot.name;
  expect(at()).toBe('receiver');
  answers = { ...CUSTOMER };
  expect(at()).toBe('scanned_labels');
  answers = { ...answers, scanned_labels: ['A-1'] };
  expect(at(), 'one of two pieces').toBe('scanned_labels');
  expect(at(['scanned_labels'])).toBe('photos');
  answers = { ...answers, scanned_labels: ['A-2', 'A-1'], photos: [photo('parcel')] };
  expect(at()).toBe('tenders');
  answers = { ...answers, tenders: [{ method: 'cash', amount_minor: 300_00, reference: '' }] };
  expect(at()).toBe('handover_code');
  answers = { ...answers, handover_code: '123456' };
  expect(at()).toBeUndefined();
});

const openStep = (answers: Answers): string | undefined =>
  next(steps(DELIVER, STOP, filled(answers)))?.slot.name;

test('a guard needs a name where the recipe asks for one; a customer has one', () => {
  expect(openStep(GUARD)).toBe('receiver');
  expect(openStep({ receiver: { name: 'Ali', relation: 'guard' } })).toBe('photos');
});

const kept = (quantity: number): Answers => ({
  ...CUSTOMER,
  kept_back: [{ fulfilment_line_id: 'l1', quantity, serials: [], reason: 'refused' }],
});

test('what is kept back takes its price off the money, and all of it leaves none', () => {
  expect(due(STOP, kept(1))).toBe(200_00);
  expect(due(STOP, kept(3))).toBe(0);
  expect(asked(DELIVER, filled(kept(3)))).not.toContain('tenders');
});

const open = (answers: Answers): string[] =>
  steps(DELIVER, STOP, filled(answers))
    .filter((step) => step.required && !step.answered)
    .map((step) => step.slot.name);

test('what is kept back needs its reason, and of the boxes one at least is handed over', () => {
  const back = (reason: string, ...scanned: string[]): Answers => ({
    ...CUSTOMER,
    scanned_labels: scanned,
    kept_back: [{ fulfilment_line_id: 'l1', quantity: 1, serials: [], reason }],
  });
  expect(open(back('', 'A-1'))).toContain('kept_back');
  expect(open(back('damaged', 'A-1'))).not.toContain('kept_back');
  expect(open(back('damaged', 'A-1'))).not.toContain('scanned_labels');
  expect(open(back('damaged'))).toContain('scanned_labels');
  expect(open(back('damaged', 'Z-9'))).toContain('scanned_labels');
  expect(open({ ...CUSTOMER, scanned_labels: ['A-1'] })).toContain('scanned_labels');
});

const tenders = (amount_minor: number): boolean | undefined =>
  steps(
    DELIVER,
    STOP,
    filled({ ...CUSTOMER, tenders: [{ method: 'cash', amount_minor, reference: '' }] }),
  ).find((step) => step.slot.name === 'tenders')?.answered;

test('half of the money, or too much, is not all of it', () => {
  expect([tenders(150_00), tenders(300_00), tenders(301_00)]).toEqual([false, true, false]);
});

test('a capture names its job, what was answered, and what the screen showed as due', () => {
  const answers = {
    ...CUSTOMER,
    place: { lat: 25, lng: 55, accuracy_m: 9 },
    handover_code: '1234',
  };
  expect(payload(DELIVER, STOP, filled(answers), 2_000)).toEqual({
    stop_id: 's1',
    ...answers,
    shown_minor: 300_00,
  });
});

const FAILED: Form = {
  ...DELIVER,
  name: 'not_delivered',
  capture: 'delivery.failed',
  slots: [
    slot('dwell_seconds', 'dwell'),
    slot('reason', 'choice', {
      required: true,
      options: [
        { value: 'not_home', photo_slots: ['door'] },
        { value: 'refused', photo_slots: [] },
      ],
    }),
    slot('photos', 'photos'),
  ],
};

test('an answer asks for its own pictures, and those of another answer are not handed in', () => {
  expect(asked(FAILED, filled({ reason: 'not_home' }))).toEqual(['reason', 'photos']);
  expect(asked(FAILED, filled({ reason: 'refused' }))).toEqual(['reason']);
  const answers = { reason: 'refused', photos: [photo('door'), photo('other_1')] };
  expect(payload(FAILED, STOP, filled(answers), 61_000)).toEqual({
    stop_id: 's1',
    reason: 'refused',
    dwell_seconds: 60,
    photos: [photo('other_1')],
  });
});

const waited = (now: number): unknown =>
  payload(FAILED, STOP, filled({ reason: 'refused' }), now)['dwell_seconds'];

test('a clock that was set back has not waited, and one that jumped has waited a day at most', () => {
  expect([waited(0), waited(1e13)]).toEqual([0, 86_400]);
});

test('scans that are captures of their own are no part of the one that ends the form', () => {
  const form: Form = {
    ...DELIVER,
    capture: 'manifest.confirm',
    job_id: 'manifest_id',
    slots: [slot('scans', 'scans', { scan_kind: 'pickup' }), slot('counted', 'count')],
  };
  const manifest = { ...STOP, kind: 'manifest', id: 'm1' } as unknown as Known;
  const answers = { scans: ['A-1'], counted: 2 };
  expect(payload(form, manifest, filled(answers), 0)).toEqual({ manifest_id: 'm1', counted: 2 });
});

test('what proves something may be passed over, what says it may not', () => {
  const passable = (answers: Answers): string[] =>
    steps(DELIVER, STOP, filled(answers))
      .filter((step) => step.required && mayPass(step, answers))
      .map((step) => step.slot.name);
  expect(passable({})).toEqual(['scanned_labels', 'photos', 'tenders', 'handover_code']);
  expect(passable(GUARD), 'a guard may have no name').toEqual(['receiver', 'photos', 'tenders']);
  const reason = steps(FAILED, STOP, filled({}))[0];
  expect(reason === undefined ? null : mayPass(reason, {})).toBe(false);
});

test('a form begins with nothing answered', () => {
  expect(begin(DELIVER, 5)).toEqual({ version: 'v1', begun_ms: 5, answers: {}, passed: [] });
});

test('what is not in order is answered once it is said what', () => {
  const check = { ...DELIVER, slots: [slot('answers', 'answers', { required: true })] };
  const job = {
    kind: 'shift_checklist',
    id: 'p',
    body: { items: [{ code: 'labels' }, { code: 'ribbon' }], last_answered_at: null },
  } as unknown as Known;
  const said = (words: string) =>
    next(
      steps(
        check,
        job,
        filled({
          answers: [
            { code: 'labels', ok: true, words: '' },
            { code: 'ribbon', ok: false, words },
          ],
        }),
      ),
    );
  expect(said('')?.slot.name).toBe('answers');
  expect(said('  no ')?.slot.name).toBe('answers');
  expect(said('Only two left.')).toBeNull();
});

const shift = (there: boolean) =>
  ({
    kind: 'shift',
    id: 's',
    body: { loading: { pieces: [{ label_no: 'A-1', loaded: there }] } },
  }) as unknown as Known;

test('boxes that were not scanned are counted, those that the office has seen are none', () => {
  const scans = slot('scans', 'scans', { scan_kind: 'departure' });
  const form = { ...DELIVER, name: 'depart', job: 'cargo', slots: [scans] } as Form;
  const piece = { next: 'departure', reported: null };
  const job = {
    kind: 'cargo',
    id: 'p',
    body: { pieces: ['A-1', 'A-2', 'A-3'].map((label_no) => ({ ...piece, label_no })) },
  } as unknown as Known;
  expect(unscanned(form, job, filled({}))).toBe(3);
  expect(unscanned(form, job, filled({ scans: ['A-2', 'OTHER'] }))).toBe(2);
  expect(isIdle(form, job, filled({}))).toBe(true);
  expect(isIdle(form, job, filled({ scans: ['OTHER'] }))).toBe(true);
  expect(isIdle(form, job, filled({ scans: ['A-2'] }))).toBe(false);
  // Nobody waits for what is missing; where it is scanned it is there.
  const gone = {
    ...job,
    body: { pieces: [{ ...piece, label_no: 'A-1', reported: 'missing' }] },
  } as unknown as Known;
  expect(isIdle(form, gone, filled({}))).toBe(true);
  expect(isIdle(form, gone, filled({ scans: ['A-1'] }))).toBe(false);
  expect(labels(gone, scans)).toEqual([]);
  expect(labels(gone, scans, ['A-1'])).toEqual(['A-1']);
  // What another phone has loaded needs no scan here.
  const load = { ...form, slots: [slot('scans', 'scans', { scan_kind: 'load' })] } as Form;
  expect(isIdle(load, shift(true), filled({}))).toBe(false);
  expect(isIdle(load, shift(false), filled({}))).toBe(true);
});

test('a word about a job that is over names what it was, and its own capture', () => {
  const words = [slot('words', 'words')];
  const note = { ...DELIVER, capture: 'note.add', job: null, job_id: null, slots: words } as Form;
  const over = { kind: 'done', id: 's1', body: { kind: 'stop', id: 's1' } } as unknown as Known;
  const beside = { ...note, beside: ['stop'] } as Form;
  expect(isBeside(beside, over)).toBe(true);
  expect(isBeside({ ...note, beside: ['visit'] } as Form, over)).toBe(false);
  expect(payload(beside, over, filled({ words: 'Hello' }), 2_000)).toEqual({
    job_kind: 'stop',
    job_id: 's1',
    words: 'Hello',
  });
});
