/** How the server's names are called on the screen; one that this version does not know is shown as it is. */

import { language, t } from '../i18n/language.svelte';
import { EXTRA } from './extra';
import type { Lacking } from './proofs';

/** Of what a name is: a form, a slot, an answer, a missing proof, a role, paid work, why it is not. */
type Named = 'form' | 'slot' | 'option' | 'lacks' | 'role' | 'earned' | 'earned_why';

/** Write a name of the server's in the language that is set. */
export function label(of: Named, name: string): string {
  return known(`${of}_${name}`) ?? readable(name);
}

/** Write what a step of a form asks, in words of this form where it has some. */
export function asking(form: string, slot: string): string {
  return known(`slot_${form}_${slot}`) ?? label('slot', slot);
}

/** Write an answer to a slot: in its own words where the slot has some, else as everywhere. */
export function answer(slot: string, value: string): string {
  return known(`option_${slot}_${value}`) ?? label('option', value);
}

/** Let a name stand in a sentence of another direction without turning it around. */
export function apart(name: string): string {
  return `\u2068${name}\u2069`;
}

/** Kinds of arrivals that were with a customer, or on the way to one. */
const COMES_BACK: readonly string[] = ['return_to_origin', 'customer_return'];

/** Write for which order or paper goods come in, or of which they come back. */
export function whence(arrival: {
  kind: string;
  order_number: string | null;
  ref: string;
}): string {
  return t(COMES_BACK.includes(arrival.kind) ? 'arrival_back' : 'arrival_of', {
    ref: apart(arrival.order_number ?? arrival.ref),
  });
}

/** Write what the last tap of a form says. */
export function finishing(form: string): string {
  return known(`finish_${form}`) ?? label('form', form);
}

/** Forms whose last tap states what is done then; those of others ask for something. */
const STATED: readonly string[] = [
  'check',
  'complete_visit',
  'deliver',
  'finish_count',
  'finish_receipt',
  'load',
  'not_delivered',
  'pack',
  'pick_up',
  'scan_back',
  'shift_checklist',
  'take_over',
];

/** Forms by which something is told to the office. */
const REPORTS: readonly string[] = [
  'found_at_visit',
  'problem',
  'report_piece',
  'stock_differs',
  'unexpected_goods',
];

/** Write that a form was kept, in the words of what is done by it. */
export function saved(form: string): string {
  if (form === 'take_run') return t('run_accepted');
  if (REPORTS.includes(form)) return t('did_report');
  const did = known(`did_${form}`);
  if (did !== null) return did;
  return STATED.includes(form) ? t('undo_words', { what: finishing(form) }) : t('saved');
}

/** Write what a picture is of. */
export function pictured(slot: string): string {
  if (slot.startsWith(`${EXTRA}_`)) return t('another_photo');
  return known(`photo_${slot}`) ?? readable(slot);
}

/** Name what a proof lacks. */
export function called(one: Lacking): string {
  return 'photo' in one ? pictured(one.photo) : label('lacks', one.proof);
}

function known(key: string): string | null {
  return language.has(key) ? t(key) : null;
}

function readable(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
