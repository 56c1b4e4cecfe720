/**
 * What a customer owes for the extras of a visit: what was agreed to less what was paid, as the office
 * has it, and over it what was captured on this phone that the office does not know of yet.
 */

import type { Json } from '../../shared/sync/wire';
import type { Bodies } from '../work';
import type { Change, Changes } from './changes';
import type { Answers } from './forms';
import { OF_EXTRAS } from './pocket';
import { priced, type Line, type Price } from './selling';

type Card = Bodies['visit'];
export type Sold = Card['extras'][number];
export type Receipt = Card['receipts'][number];

export interface Account {
  extras: Sold[];
  receipts: Receipt[];
}

/** What this phone has captured of a visit's extras; each stands under the id of its capture. */
type SoldHere = Change & Account;

/** A form of extras, and what it says. */
interface Captured {
  form: string;
  visit: { id: string; body: Card };
  said: Answers;
  event_id: string;
  at: number;
}

/** Return what was sold at a visit and how it was paid, as it stands on this phone. */
export function account(visit: { id: string; body: Partial<Account> }, changes: Changes): Account {
  const here = changes.get(extrasKey(visit.id)) as unknown as SoldHere | undefined;
  // A server before this version tells of neither.
  return {
    extras: joined(visit.body.extras ?? [], here?.extras ?? []),
    receipts: joined(visit.body.receipts ?? [], here?.receipts ?? []),
  };
}

/** Return what is still to be paid; never less than nothing. */
export function owed({ extras, receipts }: Partial<Account>): number {
  const billed = (extras ?? []).reduce((sum, one) => sum + one.charged_minor, 0);
  const paid = (receipts ?? []).reduce((sum, one) => sum + one.paid_minor, 0);
  return Math.max(0, billed - paid);
}

/** Tell whether what is open was promised to come by a bill, and nothing was sold since. */
export function isPromised({ extras, receipts }: Account): boolean {
  const last = receipts.at(-1);
  const sold = extras.at(-1);
  if (last === undefined || !last.bill_later) return false;
  return sold === undefined || Date.parse(last.captured_at) >= Date.parse(sold.captured_at);
}

/** Return what a capture makes of a visit's extras; nothing where it is about something else. */
export function bought(
  { form, visit, said, event_id, at }: Captured,
  prices: Price[],
  changes: Changes,
): { [key: string]: Json } {
  const known = account(visit, changes);
  const id = event_id;
  const captured_at = new Date(at).toISOString();
  if (form === 'add_extras') {
    const lines = priced(list<Line>(said['lines']), prices).map(({ line, price }) => {
      const net_minor = price.price_minor * line.quantity;
      const tax_minor = Math.floor((net_minor * price.tax_basis_points + 5_000) / 10_000);
      return { names: price.names, quantity: line.quantity, net_minor, tax_minor };
    });
    const charged_minor = Number(said['shown_minor'] ?? 0);
    known.extras = [...known.extras, { id, charged_minor, captured_at, lines }];
  } else if (form === 'pay_extras') {
    const tenders = list<Receipt['tenders'][number]>(said['tenders']);
    const paid_minor = tenders.reduce((sum, one) => sum + one.amount_minor, 0);
    const number = receiptNumber(visit.body.number, event_id);
    const bill_later = said['bill_later'] === true;
    const receipt = { id, number, paid_minor, bill_later, captured_at, tenders };
    known.receipts = [...known.receipts, receipt];
  } else {
    return {};
  }
  const change: SoldHere = { form, at, ...known };
  return { [extrasKey(visit.id)]: change as unknown as Json };
}

/** Number a receipt as the server does. */
export function receiptNumber(order: string, event_id: string): string {
  return `${order}-R${event_id.slice(-8).toUpperCase()}`;
}

/** Under what this phone keeps what was done about a visit's extras. */
export function extrasKey(visit_id: string): string {
  return OF_EXTRAS + visit_id;
}

/** What the office knows stands first, as it says it. */
function joined<T extends { id: string }>(theirs: T[], ours: T[]): T[] {
  const known = new Set(theirs.map((one) => one.id));
  return [...theirs, ...ours.filter((one) => !known.has(one.id))];
}

function list<T>(value: Json | undefined): T[] {
  return Array.isArray(value) ? (value as unknown as T[]) : [];
}
