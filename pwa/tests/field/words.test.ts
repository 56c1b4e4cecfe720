import { expect, test } from 'vitest';

import { isBeside, payload, steps, type Filled, type Form } from '../../src/field/flow/forms';
import { beside, offers } from '../../src/field/flow/offers';
import { lacking, standing } from '../../src/field/flow/proofs';
import { NO_JOB, questioned, screenOf, type Bodies, type Known } from '../../src/field/work';
import type { StoredDocument } from '../../src/shared/sync/schema';
import type { Json } from '../../src/shared/sync/wire';

const SAID = [
  { name: 'words', type: 'words', required: true, proof: null, options: [], scan_kind: null },
  { name: 'photos', type: 'photos', required: false, proof: null, options: [], scan_kind: null },
] as const;
const EVENT = { ...SAID[0], name: 'amends', type: 'event' } as const;

const form = (name: string, capture: string, other: object = {}): Form =>
  ({
    name, position: 0, job: null, job_id: null, capture, schema: 1, undo: true, version: '1',
    beside: ['stop', 'visit', 'shift'], slots: SAID, ...other,
  }) as unknown as Form; // prettier-ignore

const NOTE = form('note', 'note.add');
const PROBLEM = form('problem', 'problem.report', { beside: ['stop', 'none'] });
const AMEND = form('amend', 'amend.add', { slots: [EVENT, ...SAID] });
const APPEAL = form('appeal', 'proof.appeal', { job: 'proof', job_id: 'pod_id', beside: [] });

const document = (kind: string, id: string, body: object): StoredDocument =>
  ({ person_id: 'p', kind, id, body }) as unknown as StoredDocument;
const FORMS = [NOTE, PROBLEM, AMEND, APPEAL].map((one) => document('form', one.name, one));

const STOP = { kind: 'stop', id: 's1', body: {} } as unknown as Known;
const filled: Filled = {
  version: '1',
  begun_ms: 0,
  answers: { words: 'The gate is locked.', amends: 'e1' },
  passed: [],
};
const last = (name: string, over: boolean) =>
  new Map<string, Json>([['stop:s1', { form: name, at: 1, over }]]);
const names = (job: Known, changes = new Map<string, Json>(), amendable = true) =>
  beside(job, FORMS, changes, amendable).map((one) => one.name);

test('words about a job name it by kind and id, and those about none name none', () => {
  const said = { words: 'The gate is locked.' };
  expect(payload(NOTE, STOP, filled, 0)).toEqual({ ...said, job_kind: 'stop', job_id: 's1' });
  expect(payload(PROBLEM, NO_JOB, filled, 0)).toEqual(said);
  expect([isBeside(NOTE, STOP), isBeside(NOTE, NO_JOB)]).toEqual([true, false]);
});

test('an amendment names the earlier capture, which nobody is asked for', () => {
  expect(payload(AMEND, STOP, filled, 0)).toEqual({ words: 'The gate is locked.', amends: 'e1' });
  expect(steps(AMEND, STOP, filled).map((step) => step.slot.name)).toEqual(['words', 'photos']);
});

test('photos of words are offered and never demanded', () => {
  const [words, photos] = steps(NOTE, STOP, { ...filled, answers: {} });
  expect([words?.required, photos?.required]).toEqual([true, false]);
});

test('what was wrong is asked once the job has ended and its capture is known and cannot be taken back', () => {
  expect(names(STOP)).toEqual(['note', 'problem']);
  expect(names(STOP, last('deliver', true))).toEqual(['note', 'problem', 'amend']);
  expect(names(STOP, last('deliver', true), false)).toEqual(['note', 'problem']);
  expect(names(STOP, last('start_visit', false))).toEqual(['note', 'problem']);
  expect(names(NO_JOB)).toEqual(['problem']);
});

test('forms that a server before this version describes are beside nothing', () => {
  const { beside: _none, ...old } = NOTE;
  expect(beside(STOP, [document('form', 'note', old)], new Map(), true)).toEqual([]);
});

const proof = (other: object = {}): Bodies['proof'] =>
  ({
    pod_id: 'd1', verdict: 'failed', counts: false, standing: null, missing: [], findings: [],
    reasons: [], ...other,
  }) as unknown as Bodies['proof']; // prettier-ignore
const asJob = (body: Bodies['proof']) => ({ kind: 'proof', id: 'd1', body }) as Known;

test('a proof is appealed once, until the desk has decided', () => {
  const offered = (body: Bodies['proof'], changes = new Map<string, Json>()) =>
    offers(asJob(body), FORMS, changes).map((one) => one.name);
  expect(offered(proof())).toEqual(['appeal']);
  expect(offered(proof({ standing: 'upheld' }))).toEqual(['appeal']);
  expect(offered(proof({ standing: 'appealed' }))).toEqual([]);
  expect(offered(proof({ counts: true, standing: 'overturned' }))).toEqual([]);
  const waits = new Map<string, Json>([['proof:d1', { form: 'appeal', at: 1 }]]);
  expect(offered(proof(), waits)).toEqual([]);
  expect(payload(APPEAL, asJob(proof()), filled, 0)).toMatchObject({ pod_id: 'd1' });
});

test('a code is asked for where the proof was not accepted for it, and then says enough', () => {
  const code = { ...SAID[0], name: 'handover_code', type: 'handover_code', required: false };
  const appeal = { ...APPEAL, slots: [{ ...code, proof: 'code' }, ...SAID] } as unknown as Form;
  const asked = (findings: object[], answers: { [name: string]: Json }) =>
    steps(appeal, asJob(proof({ findings })), { ...filled, answers })
      .filter((step) => step.required)
      .map((step) => step.slot.name);
  expect(asked([{ code: 'dark' }], {})).toEqual(['words']);
  expect(asked([{ code: 'wrong_code' }], {})).toEqual(['handover_code', 'words']);
  expect(asked([{ code: 'wrong_code' }], { handover_code: '482915' })).toEqual(['handover_code']);
  const dark = asJob(proof({ findings: [{ code: 'dark' }] }));
  expect(steps(appeal, dark, filled).map((step) => step.slot.name)).toEqual(['words', 'photos']);
});

test('a proof stands as the desk says, or as this phone has said it', () => {
  expect(standing(proof(), false)).toBe('refused');
  expect(standing(proof({ verdict: 'look' }), false)).toBe('doubted');
  expect(standing(proof({ verdict: 'look', missing: ['scan'] }), false)).toBe('refused');
  expect(standing(proof({ standing: 'upheld' }), false)).toBe('upheld');
  expect(standing(proof({ standing: 'upheld' }), true)).toBe('appealed');
  expect(standing(proof({ counts: true, standing: 'overturned' }), true)).toBe('overturned');
});

test('what a proof lacks is a picture of a slot, or something that its recipe names', () => {
  expect(lacking(proof({ missing: ['scan', 'photo:parcel', 'signature'] }))).toEqual([
    { proof: 'scan' },
    { photo: 'parcel' },
    { proof: 'signature' },
  ]);
});

test('only proofs that somebody has to look at are shown, also by an older server', () => {
  const all = [
    proof({ pod_id: 'a' }),
    proof({ pod_id: 'b', counts: true }),
    proof({ pod_id: 'c', counts: true, standing: 'overturned' }),
    { pod_id: 'd', verdict: 'failed' },
  ].map((body, n) => document('proof', String(n), body));
  expect(questioned(all).map((one) => one.pod_id)).toEqual(['a', 'c']);
  expect(screenOf('proof', 'a')).toBe('#/proofs');
});
