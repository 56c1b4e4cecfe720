/**
 * The goods of a visit, piece by piece: what each asks, what was noted of it, and whether that is all.
 *
 * An answer is kept as the report says it, so the answers to an older version of a checklist stay
 * beside the name of that version; what is shown and judged here is the version on the phone.
 */

import type { components } from '../../generated/api';
import type { Json } from '../../shared/sync/wire';
import type { Known } from '../work';
import { alike } from './typed';

type Schemas = components['schemas'];

export type Item = Schemas['Item'];
export type Noted = Schemas['InstalledUnit'];
export type Value = Noted['answers'][string];

/** One piece of goods that is put to use; `n` tells which of its line's it is, from 1. */
export interface Unit {
  line: Schemas['UnitCard'];
  n: number;
  serial: string;
  answers: Noted['answers'];
}

/** The picture that cannot be taken any more when the goods stand. */
export const BEFORE = 'before';

const LARGEST = 1_000_000;
const LONGEST_TEXT = 300;

/** Return the pieces of a visit in the order of its lines, each with what was noted of it. */
export function units(job: Known, answer: Json | undefined): Unit[] {
  if (job.kind !== 'visit') return [];
  const told = Array.isArray(answer) ? (answer as unknown as Noted[]) : [];
  return job.body.units.flatMap((line) => {
    const own = told.filter((one) => one.fulfilment_line_id === line.fulfilment_line_id);
    return Array.from({ length: line.quantity }, (_, at) => ({
      line,
      n: at + 1,
      serial: own[at]?.serial ?? '',
      answers: fitting(line, own[at]?.answers ?? {}),
    }));
  });
}

/** Write pieces as the report says them, by the checklists that were shown. */
export function noted(all: Unit[]): Noted[] {
  return all.map(({ line, serial, answers }) => ({
    fulfilment_line_id: line.fulfilment_line_id,
    checklist_id: line.checklist_id,
    serial,
    answers,
  }));
}

/** Return what is to be done with a piece, in its order. */
export function items(unit: Pick<Unit, 'line'>): Item[] {
  return unit.line.checklist?.items ?? [];
}

/** Tell whether a piece asks for anything at all. */
export function asks(unit: Unit): boolean {
  return unit.line.serialised || items(unit).length > 0;
}

/** Count what of a piece's checklist has no answer yet. */
export function unanswered(unit: Unit): number {
  return items(unit).filter((item) => !(item.id in unit.answers)).length;
}

/** Tell whether a piece has its serial, where it has one, and an answer to everything. */
export function isWhole(unit: Unit): boolean {
  if (unit.line.serialised && unit.serial === '') return false;
  return unanswered(unit) === 0;
}

/** Tell whether a visit's pieces are all noted. */
export function areWhole(job: Known, answer: Json | undefined): boolean {
  return Array.isArray(answer) && units(job, answer).every(isWhole);
}

/** Tell whether a piece bears another serial than was packed for its line. */
export function differs({ line, serial }: Unit): boolean {
  return serial !== '' && line.serials.length > 0 && !line.serials.includes(serial);
}

/** Where a serial belongs that was scanned while the piece at `open` was in hand. */
export interface Scanned {
  at: number;
  serial: string;
  /** It stands on another piece already, and is not noted twice. */
  twice: boolean;
}

/**
 * Find the piece of a scanned serial: one that expects it, else the one in hand.
 *
 * Another serial than was packed is no reason to stop: it is noted, and the office looks at it.
 */
export function scanned(all: Unit[], open: number, code: string): Scanned | null {
  const expected = all.flatMap(({ line }) => line.serials);
  const serial = expected.find((one) => alike(one, code)) ?? code;
  const there = all.findIndex((unit) => unit.serial === serial);
  if (there >= 0) return { at: there, serial, twice: there !== open };
  const inHand = all[open];
  const bare = (at: number): boolean => all[at]?.line.serialised === true && all[at].serial === '';
  const expects = (at: number): boolean => all[at]?.line.serials.includes(serial) === true;
  const beside = (at: number): boolean =>
    all[at]?.line.fulfilment_line_id === inHand?.line.fulfilment_line_id;
  const order = [open, ...all.keys()];
  const at =
    order.find((one) => bare(one) && expects(one)) ??
    order.find((one) => bare(one) && beside(one)) ??
    (inHand?.line.serialised === true ? open : order.find(bare));
  return at === undefined ? null : { at, serial, twice: false };
}

/** Return the pieces with one of them changed. */
export function changed(all: Unit[], at: number, change: Partial<Unit>): Unit[] {
  return all.map((unit, n) => (n === at ? { ...unit, ...change } : unit));
}

/** Return the pieces with an item of one of them answered; null takes the answer back. */
export function answered(all: Unit[], at: number, item: Item, value: Value | null): Unit[] {
  const { [item.id]: _, ...answers } = all[at]?.answers ?? {};
  if (value !== null && fits(item, value)) answers[item.id] = value;
  return changed(all, at, { answers });
}

function fitting(line: Schemas['UnitCard'], answers: Noted['answers']): Noted['answers'] {
  const own = items({ line }).filter((item) => fits(item, answers[item.id]));
  return Object.fromEntries(own.map((item) => [item.id, answers[item.id]])) as Noted['answers'];
}

function fits(item: Item, value: Value | undefined): boolean {
  switch (item.kind) {
    case 'check':
      return value === true;
    case 'number':
      return typeof value === 'number' && Math.abs(value) <= LARGEST;
    case 'text':
      return typeof value === 'string' && value !== '' && value.length <= LONGEST_TEXT;
  }
}
