import { expect, test } from 'vitest';

import { isQuick, offers, toAccept } from '../../src/field/flow/offers';
import { isOver } from '../../src/field/flow/over';
import { touched } from '../../src/field/flow/touched';
import type { Form } from '../../src/field/flow/forms';
import type { Known } from '../../src/field/work';
import type { StoredDocument } from '../../src/shared/sync/schema';
import type { Json } from '../../src/shared/sync/wire';

const document = (kind: string, id: string, body: object): StoredDocument =>
  ({ person_id: 'p', kind, id, body }) as StoredDocument;

const form = (name: string, job: string, position: number): StoredDocument =>
  document('form', name, { name, job, position, slots: [] });

const FORMS = [
  form('not_delivered', 'stop', 2),
  form('deliver', 'stop', 1),
  form('take_run', 'run', 0),
  form('start_visit', 'visit', 3),
  form('complete_visit', 'visit', 4),
  form('cannot_finish', 'visit', 5),
];
const run = (state: string): StoredDocument =>
  document('run', 'r', { id: 'r', state, stop_ids: ['s'] });
const STOP = { kind: 'stop', id: 's', body: {} } as unknown as Known;
const visit = (state: string) => ({ kind: 'visit', id: 'v', body: { state } }) as unknown as Known;

const captured = (key: string, name: string): Map<string, Json> =>
  new Map([[key, { form: name, at: 1 }]]);
const names = (job: Known, documents: StoredDocument[], changes = new Map<string, Json>()) =>
  offers(job, documents, changes).map((one) => one.name);

test('a stop is offered once its run is accepted, also by a capture that waits on this phone', () => {
  const planned = [...FORMS, run('planned')];
  expect(names(STOP, planned)).toEqual([]);
  expect(toAccept(STOP, planned, new Map())).toBe('r');
  expect(names(STOP, planned, captured('run:r', 'take_run'))).toEqual(['deliver', 'not_delivered']);
  expect(names(STOP, [...FORMS, run('accepted')])).toEqual(['deliver', 'not_delivered']);
});

test('what was delivered on this phone is over, whatever the documents still say', () => {
  const at = { hands: '', changes: new Map(), at: 1 };
  const made = touched({ name: 'deliver', ends: true }, STOP, {}, [], at);
  const changes = new Map(Object.entries(made)) as never;
  expect(isOver(STOP, changes)).toBe(true);
  expect(isOver(STOP, captured('stop:s', 'deliver'))).toBe(false);
  expect(names(STOP, [...FORMS, run('accepted')], changes)).toEqual([]);
});

test('a visit is begun before it is completed', () => {
  expect(names(visit('booked'), FORMS)).toEqual(['start_visit', 'cannot_finish']);
  expect(names(visit('started'), FORMS)).toEqual(['complete_visit', 'cannot_finish']);
  const begun = captured('visit:v', 'start_visit');
  expect(names(visit('booked'), FORMS, begun)).toEqual(['complete_visit', 'cannot_finish']);
});

const asks = (type: string): Form => ({ slots: [{ type }] }) as unknown as Form;

test('a form that asks nothing is one tap', () => {
  expect([isQuick(asks('place')), isQuick(asks('photos'))]).toEqual([true, false]);
});
