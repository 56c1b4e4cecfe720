import { expect, test } from 'vitest';

import {
  begin,
  choices,
  filledIn,
  lacksBefore,
  mayPass,
  next,
  payload,
  photoSlots,
  steps,
  waitsForBefore,
  type Answers,
  type Filled,
  type Form,
  type Slot,
} from '../../src/field/flow/forms';
import { missesPart, offers } from '../../src/field/flow/offers';
import type { StoredDocument } from '../../src/shared/sync/schema';
import type { Json } from '../../src/shared/sync/wire';
import { item, line, visit } from './visit';

const slot = (name: string, type: Slot['type'], other: Partial<Slot> = {}): Slot => ({
  name, type, required: true, proof: null, options: [], scan_kind: null, ...other,
}); // prettier-ignore

const form = (name: string, capture: string, slots: Slot[] = []): Form =>
  ({
    name,
    capture,
    slots,
    job: 'visit',
    job_id: 'visit_id',
    position: 0,
    version: '1',
    beside: [],
  }) as unknown as Form;

const COMPLETE = form('complete_visit', 'visit.complete', [
  slot('place', 'place', { required: false }),
  slot('units', 'units'),
  slot('photos', 'photos'),
  slot('demo_topics', 'topics'),
  slot('sign_off', 'sign_off'),
]);
const FAIL = form('cannot_finish', 'visit.fail', [
  slot('reason', 'choice', {
    options: [
      { value: 'unsafe', photo_slots: [] },
      { value: 'not_home', photo_slots: ['door'] },
    ],
  }),
  slot('photos', 'photos', { required: false }),
  slot('words', 'words', { required: false }),
]);

const JOB = visit([line('machine', { serialised: true, serials: ['M-1'] }, [item('a', 'check')])]);
const UNIT = { fulfilment_line_id: 'machine', checklist_id: 'list of machine', serial: 'M-1', answers: { a: true } }; // prettier-ignore
const shot = (name: string) => ({ slot: name, sha256: name, preview_sha256: null });
const STROKES = [[[0, 0, 0]]];

const filled = (of: Form, answers: Answers, passed: string[] = []): Filled => ({
  ...begin(of, 0),
  answers,
  passed,
});
const nextOf = (of: Form, answers: Answers, passed: string[] = []): string | null =>
  next(steps(of, JOB, filled(of, answers, passed)))?.slot.name ?? null;

test('an installation is asked step by step, and is done when all of it is there', () => {
  const answers: Answers = {};
  const given: [string, Json, string | null][] = [
    ['units', [UNIT], 'photos'],
    ['photos', [shot('before')], 'photos'],
    ['photos', [shot('before'), shot('after')], 'demo_topics'],
    ['demo_topics', ['modes'], 'sign_off'],
    ['sign_off', { name: ' ', strokes: STROKES }, 'sign_off'],
    ['sign_off', { name: 'Aisha', strokes: STROKES }, null],
  ];
  expect(nextOf(COMPLETE, answers)).toBe('units');
  for (const [name, value, then] of given) {
    answers[name] = value;
    expect(nextOf(COMPLETE, answers)).toBe(then);
  }
  expect(payload(COMPLETE, JOB, filled(COMPLETE, answers), 0)).toEqual({
    visit_id: 'v',
    ...answers,
  });
});

test('a report whose goods were passed over says that it has none', () => {
  const passed = ['units', 'photos', 'demo_topics', 'sign_off'];
  expect(nextOf(COMPLETE, {}, passed)).toBeNull();
  expect(payload(COMPLETE, JOB, filled(COMPLETE, {}, passed), 0)).toEqual({
    visit_id: 'v',
    units: [],
  });
});

test('goods that came back are not asked for', () => {
  const empty = visit([]);
  const all = steps(COMPLETE, empty, filled(COMPLETE, {}));
  expect(all.find((one) => one.slot.name === 'units')?.required).toBe(false);
});

test('why it cannot be finished needs one tap, and a photo where the reason asks for it', () => {
  expect(nextOf(FAIL, {})).toBe('reason');
  expect(nextOf(FAIL, { reason: 'unsafe' })).toBeNull();
  expect(nextOf(FAIL, { reason: 'not_home' })).toBe('photos');
  expect(nextOf(FAIL, { reason: 'not_home', photos: [shot('door')] })).toBeNull();
});

const hasPhotos = (taken: Json): boolean | undefined =>
  steps(FAIL, JOB, filled(FAIL, { reason: 'unsafe', photos: taken }))[1]?.answered;

test('a photo that no reason asks for may be taken, and is not said to be there', () => {
  expect([hasPhotos([]), hasPhotos([shot('other_1')])]).toEqual([false, true]);
});

test('a reason is not passed over, for without it there is nothing to say', () => {
  const able = (of: Form): boolean[] =>
    steps(of, JOB, filled(of, {})).map((step) => mayPass(step, {}));
  expect(able(FAIL).slice(0, 2)).toEqual([false, true]);
  expect(able(COMPLETE)).toEqual([true, true, true, true]);
  expect(choices(FAIL, filled(FAIL, { reason: 'unsafe', words: 'Wet.' }))).toEqual(['unsafe']);
});

const FORMS = ['start_visit', 'complete_visit', 'cannot_finish', 'found_at_visit', 'part_fitted'];
const DOCUMENTS = FORMS.map(
  (name, position) =>
    ({ person_id: 'p', kind: 'form', id: name, body: { ...form(name, name), position } }) as never,
) as StoredDocument[];
const after = (name: string, ...said: string[]): Map<string, Json> =>
  new Map([['visit:v', { form: name, at: 0, chosen: said }]]);
const offered = (job = JOB, changes = new Map<string, Json>()): string[] =>
  offers(job, DOCUMENTS, changes).map((one) => one.name);

test('a part is fitted only where one is missing, and once', () => {
  const missing = visit(JOB.body.units, { missing_part: true });
  expect(offered()).not.toContain('part_fitted');
  expect(offered(missing)[0]).toBe('part_fitted');
  expect(offered(missing, after('part_fitted'))).not.toContain('part_fitted');
  expect(offered(JOB, after('found_at_visit', 'part_missing'))).toContain('part_fitted');
  expect(offered(JOB, after('found_at_visit', 'hidden_damage'))).not.toContain('part_fitted');
  // A version before this one did not note what was chosen.
  const old = new Map<string, Json>([['visit:v', { form: 'found_at_visit', at: 0 }]]);
  expect(missesPart(JOB, old)).toBe(false);
});

test('the photo before the work is asked for alone, until it is there or the goods stand', () => {
  const waits = (answers: Answers, job = JOB) => waitsForBefore(COMPLETE, job, answers);
  expect(waits({})).toBe(true);
  expect(waits({ photos: [shot('after')] as never })).toBe(true);
  expect(waits({ photos: [shot('before')] as never })).toBe(false);
  expect(waits({ units: [UNIT] })).toBe(false);
  expect(photoSlots(COMPLETE, JOB, {})).toEqual(['before', 'after']);
  expect(waits({}, visit([line('kettle', { photo_slots: ['after'] })]))).toBe(false);
  expect(waitsForBefore(FAIL, JOB, {})).toBe(false);
});

test('what the phone notes by itself, and what was taken back, is not filled in', () => {
  const place = { lat: 25, lng: 55, accuracy_m: 5 };
  expect(filledIn(COMPLETE, filled(COMPLETE, { place, units: [] }))).toEqual([]);
  expect(filledIn(COMPLETE, filled(COMPLETE, { place, units: [UNIT] }))).toEqual(['units']);
  expect(filledIn(FAIL, filled(FAIL, { words: 'No key' }))).toEqual(['words']);
});

test('a photo before the work that was not taken is asked for no more, and is said to be missing', () => {
  const lacks = (answers: Answers) => lacksBefore(COMPLETE, JOB, answers);
  expect(lacks({})).toBe(false);
  expect(lacks({ units: [UNIT], photos: [shot('before')] as never })).toBe(false);
  const stands = { units: [UNIT], photos: [shot('after')] as never };
  expect(lacks(stands)).toBe(true);
  expect(photoSlots(COMPLETE, JOB, stands)).toEqual(['after']);
  const photos = steps(COMPLETE, JOB, filled(COMPLETE, stands)).find(
    (step) => step.slot.type === 'photos',
  );
  expect(photos?.answered).toBe(true);
});
