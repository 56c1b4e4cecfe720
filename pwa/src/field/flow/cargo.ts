/**
 * What is in a courier's hands as it stands on this phone: what the server knows, and over it what was
 * fetched, scanned and reported here. The next scan of a box follows from its last (`modules/tms/rules`).
 */

import type { Json } from '../../shared/sync/wire';
import type { Bodies, Known } from '../work';
import type { Change } from './changes';
import type { Filled, Form } from './forms';

export type CargoPiece = Bodies['cargo']['pieces'][number];
type Fetched = Bodies['manifest']['pieces'][number];
type Next = CargoPiece['next'];

/** Kind of the last scan of a box → the scan that comes next. */
const AFTER: Readonly<Record<string, Next>> = {
  departure: 'hub_in',
  hub_in: 'hub_out',
  hub_out: 'hub_in',
};

/** What this phone has made of a courier's cargo that the server's documents do not know of yet. */
export interface InHands extends Change {
  fetched?: Fetched[];
  beeps?: { [label_no: string]: string };
  reported?: { [label_no: string]: string };
}

/** Stands for whatever was captured last: hands are never done with, whichever form it was. */
const HANDS = 'hands';

/** Return it after a pickup. */
export function fetched(before: Change | null, pieces: Fetched[], at: number): InHands {
  const known: InHands = { ...before, form: HANDS, at };
  return { ...known, fetched: [...(known.fetched ?? []), ...pieces] };
}

/** Return it after a scan. */
export function beeped(before: Change | null, label_no: string, kind: string, at: number): InHands {
  const known: InHands = { ...before, form: HANDS, at };
  const all = known.reported ?? {};
  const { [label_no]: told, ...others } = all;
  // What was missing is found by its scan; what is damaged stays so.
  const still = told === 'damaged' ? all : others;
  return { ...known, reported: still, beeps: { ...known.beeps, [label_no]: kind } };
}

/** Return it after a report of damaged or missing boxes. */
export function reported(
  before: Change | null,
  said: { [name: string]: Json },
  at: number,
): InHands {
  const known: InHands = { ...before, form: HANDS, at };
  const labels = Array.isArray(said['labels']) ? said['labels'].map(String) : [];
  const kind = String(said['kind']);
  const told = Object.fromEntries(labels.map((label) => [label, kind]));
  return { ...known, reported: { ...known.reported, ...told } };
}

/** Return the boxes as they stand on this phone. */
export function standing(pieces: CargoPiece[], change: InHands): CargoPiece[] {
  const known = new Set(pieces.map((piece) => piece.label_no));
  const here = (change.fetched ?? [])
    .filter((piece) => !known.has(piece.label_no))
    .map((piece): CargoPiece => ({ ...piece, next: 'departure', reported: null }));
  return [...pieces, ...here].map((piece) => {
    const beep = change.beeps?.[piece.label_no];
    const told = change.reported?.[piece.label_no] as CargoPiece['reported'] | undefined;
    const next = beep === undefined ? piece.next : (AFTER[beep] ?? piece.next);
    const kept = beep === undefined || piece.reported === 'damaged' ? piece.reported : null;
    return { ...piece, next, reported: told ?? kept };
  });
}

/** Return the boxes of a van that this phone has not scanned back. */
export function notBack<P extends { label_no: string }>(pieces: P[], change: InHands): P[] {
  return pieces.filter((piece) => change.beeps?.[piece.label_no] === undefined);
}

/** Return the boxes that wait for a kind of scan; what is missing is not waited for. */
export function waiting(pieces: CargoPiece[], kind: string): CargoPiece[] {
  return pieces.filter((piece) => piece.next === kind && piece.reported !== 'missing');
}

/** Return the labels that a form of this kind of scan asks for: those that wait, and those it has, also found again. */
export function toScan(pieces: CargoPiece[], kind: string, seen: string[]): string[] {
  const done = pieces.filter(
    (one) =>
      seen.includes(one.label_no) && (one.next === AFTER[kind] || one.reported === 'missing'),
  );
  const labels = [...waiting(pieces, kind), ...done].map((piece) => piece.label_no);
  return pieces.map((piece) => piece.label_no).filter((label) => labels.includes(label));
}

/** Leave out the scans of an earlier round: a box that is awaited was not scanned in this one. */
export function settled(form: Form, job: Known, filled: Filled): Filled {
  if (job.kind !== 'cargo') return filled;
  const answers = { ...filled.answers };
  for (const { name, scan_kind } of form.slots) {
    const said = answers[name];
    if (scan_kind === null || !Array.isArray(said)) continue;
    const awaited = waiting(job.body.pieces, scan_kind).map((piece) => piece.label_no);
    answers[name] = said.filter((label) => !awaited.includes(String(label)));
  }
  return { ...filled, answers };
}
