import { expect, test } from 'vitest';

import { asDone } from '../../src/field/flow/done';
import { due, payload, steps, type Answers, type Form } from '../../src/field/flow/forms';
import { offers } from '../../src/field/flow/offers';
import {
  account,
  bought,
  isPromised,
  owed,
  receiptNumber,
  type Receipt,
  type Sold,
} from '../../src/field/flow/paying';
import { cashOfExtras } from '../../src/field/flow/pocket';
import type { Price } from '../../src/field/flow/selling';
import type { StoredDocument } from '../../src/shared/sync/schema';
import type { Json } from '../../src/shared/sync/wire';
import { visit } from './visit';

const PRICE: Price = {
  id: 'hose', code: 'HOSE', names: { en: 'Hose' }, unit: 'piece', price_minor: 35_01,
  tax_basis_points: 500, currency: 'AED', sku: null,
}; // prettier-ignore
const SALE: Answers = { lines: [{ price_id: 'hose', quantity: 3 }], shown_minor: 110_28 };
const ID = '0198c0de-0000-7000-8000-00001234abcd';
const VISIT = visit([], { number: 'DS-000023', state: 'started', extras: [], receipts: [] });

function after(...captures: [form: string, said: Answers, event_id: string][]): Map<string, Json> {
  const changes = new Map<string, Json>();
  captures.forEach(([form, said, event_id], n) => {
    const made = bought({ form, visit: VISIT, said, event_id, at: 1_000 * n }, [PRICE], changes);
    for (const [key, value] of Object.entries(made)) changes.set(key, value);
  });
  return changes;
}
const cash = (amount_minor: number): Answers => ({
  tenders: [{ method: 'cash', amount_minor, reference: '' }],
});

const slot = (name: string, type: string) => ({
  name, type, required: type === 'bill', proof: null, options: [], scan_kind: null,
}); // prettier-ignore
const filled = (answers: Answers) => ({ version: '', begun_ms: 0, answers, passed: [] });
const described = (name: string, position: number): StoredDocument =>
  ({ person_id: 'p', kind: 'form', id: name,
     body: { name, job: 'visit', position, slots: [] } }) as unknown as StoredDocument; // prettier-ignore

const document = (body: object) => [{ person_id: 'p', kind: 'visit', id: 'v', body }] as never;

test('what was sold here is owed until it is paid here, without a word of the office', () => {
  const sold = after(['add_extras', SALE, ID]);
  expect(account(VISIT, sold).extras[0]?.lines).toEqual([
    { names: { en: 'Hose' }, quantity: 3, net_minor: 105_03, tax_minor: 5_25 },
  ]);
  expect(due(asDone(VISIT, sold), {})).toBe(110_28);
  const part = after(['add_extras', SALE, ID], ['pay_extras', cash(100_00), 'b']);
  expect(owed(account(VISIT, part))).toBe(10_28);
  expect(owed(account(VISIT, new Map()))).toBe(0);
});

test('what the office knows by now is counted once, and as the office says it', () => {
  const changes = after(['add_extras', SALE, ID], ['pay_extras', cash(110_28), 'b']);
  const sold: Sold = { id: ID, charged_minor: 120_00, captured_at: '', lines: [] };
  const known = { ...VISIT, body: { ...VISIT.body, extras: [sold] } };
  expect(owed(account(known, changes))).toBe(120_00 - 110_28);
  const paid = account(VISIT, changes).receipts[0] as Receipt;
  const both = { ...VISIT, body: { ...VISIT.body, extras: [sold], receipts: [paid] } };
  expect(account(both, changes).receipts).toHaveLength(1);
});

test('cash is in a pocket from the capture on, and once the office knows, as the office says', () => {
  const changes = after(['add_extras', SALE, ID], ['pay_extras', cash(60_00), 'b']);
  const told = { ...VISIT.body, currency: 'AED' };
  expect(cashOfExtras(document(told), changes)).toEqual([{ currency: 'AED', minor: 60_00 }]);
  const known = { ...told, receipts: account(VISIT, changes).receipts };
  expect(cashOfExtras(document(known), changes)).toEqual([]);
  expect(cashOfExtras([], changes)).toEqual([]);
});

test('a receipt has the number that the server will give it', () => {
  expect(receiptNumber('DS-000023', ID)).toBe('DS-000023-R1234ABCD');
});

test('a server that tells of no extras, and another form, leave nothing to pay', () => {
  const old = visit([], {});
  expect(account(old, new Map())).toEqual({ extras: [], receipts: [] });
  const said = { form: 'note', visit: VISIT, said: {}, event_id: ID, at: 0 };
  expect(bought(said, [PRICE], new Map())).toEqual({});
});

test('paying is offered first until it is paid or a bill is promised', () => {
  const forms = [described('complete_visit', 1), described('pay_extras', 2)];
  const names = (changes: Map<string, Json>): string[] =>
    offers(asDone(VISIT, changes), forms, changes).map((one) => one.name);
  const sale: [string, Answers, string] = ['add_extras', SALE, ID];
  expect(names(new Map())).toEqual(['complete_visit']);
  expect(names(after(sale))).toEqual(['pay_extras', 'complete_visit']);
  const promised = after(sale, ['pay_extras', { bill_later: true }, 'b']);
  expect(isPromised(account(VISIT, promised))).toBe(true);
  expect(names(promised)).toEqual(['complete_visit', 'pay_extras']);
  const more = after(sale, ['pay_extras', { bill_later: true }, 'b'], ['add_extras', SALE, 'c']);
  expect(names(more)).toEqual(['pay_extras', 'complete_visit']);
  expect(names(after(sale, ['pay_extras', cash(110_28), 'b']))).toEqual(['complete_visit']);
});

test('a payment is whole when all is taken or a bill is promised, and says what was shown', () => {
  const form = {
    name: 'pay_extras', capture: 'visit.extras_paid', job_id: 'visit_id', beside: [],
    slots: [slot('tenders', 'bill'), slot('bill_later', 'later'), slot('shown_minor', 'sum')],
  } as unknown as Form; // prettier-ignore
  const job = asDone(VISIT, after(['add_extras', SALE, ID]));
  const whole = (answers: Answers) =>
    steps(form, job, filled(answers)).map((step) => step.answered);
  expect(whole({})).toEqual([false]);
  expect(whole(cash(110_28))).toEqual([true]);
  expect(whole(cash(10_00))).toEqual([false]);
  expect(whole({ ...cash(10_00), bill_later: true })).toEqual([true]);
  expect(payload(form, job, filled({ bill_later: true }), 0)).toEqual({
    visit_id: 'v',
    bill_later: true,
    shown_minor: 110_28,
  });
});
