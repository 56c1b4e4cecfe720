/** Which forms a job offers now: what is to be done first stands first, and what is done is not offered. */

import type { StoredDocument } from '../../shared/sync/schema';
import { forms, of, type Known } from '../work';
import { isAllIn } from './arrived';
import { changeOf, type Changes } from './changes';
import { isBeside, type Form } from './forms';
import { captured, isOver } from './over';
import { account, isPromised, owed } from './paying';

/** Forms beside a job of which an earlier capture is the subject. */
const AMENDS = 'amend.add';

type Visit = Extract<Known, { kind: 'visit' }>;

/** The form by which boxes are told to be damaged or missing. */
const REPORT = 'report_piece';

/** The form of each scan that a courier's boxes wait for. */
const ON_THE_WAY = [
  ['departure', 'depart'],
  ['hub_in', 'hub_in'],
  ['hub_out', 'hub_out'],
] as const;

/** What a pick list offers by its state, as it stands on this phone (`asDone`). */
const PICKING: Readonly<Record<string, string[]>> = {
  open: ['start_pick'],
  picking: ['check', 'pick_again'],
  checked: ['pack', 'pick_again'],
};

/** Tell whether a part of a visit's goods is missing, as far as this phone knows. */
export function missesPart(visit: Visit, changes: Changes): boolean {
  const change = changeOf(visit, changes);
  if (change?.form === 'part_fitted') return false;
  return visit.body.missing_part || (change?.chosen ?? []).includes('part_missing');
}

/** Tell whether extras of a visit are to be paid, and when. */
function owes(visit: Visit, changes: Changes): 'nothing' | 'now' | 'by_bill' {
  const known = account(visit, changes);
  if (owed(known) === 0) return 'nothing';
  return isPromised(known) ? 'by_bill' : 'now';
}

/** Return the run that a stop stands on while nobody has accepted it, else null. */
export function toAccept(
  stop: { id: string },
  documents: StoredDocument[],
  changes: Changes,
): string | null {
  const run = of(documents, 'run').find((one) => one.stop_ids.includes(stop.id));
  if (run === undefined || run.state !== 'planned') return null;
  return captured({ kind: 'run', id: run.id }, changes) === null ? run.id : null;
}

/** Return the forms that may be filled in on a job now. */
export function offers(job: Known, documents: StoredDocument[], changes: Changes): Form[] {
  if (isOver(job, changes)) return [];
  const names = named(job, documents, changes);
  const all = forms(documents).filter(
    (form) => form.job === job.kind || form.offered_on.includes(job.kind),
  );
  if (names === null) return all;
  return names.flatMap((name) => all.filter((form) => form.name === name));
}

/**
 * Return the forms that speak about a job without being a part of its work.
 *
 * What was wrong with a capture can be said where it has ended the job, if it is `amendable`: it is
 * known which one it is, and it cannot be taken back any more.
 */
export function beside(
  job: Known,
  documents: StoredDocument[],
  changes: Changes,
  amendable: boolean,
): Form[] {
  const ended =
    job.kind === 'done' || isOver(job, changes) || captured(job, changes) === 'close_shift';
  return forms(documents)
    .filter((form) => isBeside(form, job))
    .filter((form) => form.capture !== AMENDS || (ended && amendable));
}

/** Tell whether somebody has begun this visit, as far as this phone knows. */
export function isBegun(visit: Extract<Known, { kind: 'visit' }>, changes: Changes): boolean {
  return visit.body.state === 'started' || captured(visit, changes) !== null;
}

/** Name them in their order; null where everything that there is for the kind is offered. */
function named(job: Known, documents: StoredDocument[], changes: Changes): string[] | null {
  const last = captured(job, changes);
  switch (job.kind) {
    case 'stop':
      return toAccept(job, documents, changes) === null ? ['deliver', 'not_delivered', REPORT] : [];
    case 'run':
      return job.body.state === 'planned' && last === null ? ['take_run'] : [];
    case 'visit':
      return isBegun(job, changes)
        ? [
            ...(owes(job, changes) === 'now' ? ['pay_extras'] : []),
            // Until the part is fitted, what is completed waits.
            ...(missesPart(job, changes) ? ['part_fitted'] : []),
            'complete_visit',
            'cannot_finish',
            'found_at_visit',
            ...(of(documents, 'price_list').length > 0 ? ['add_extras'] : []),
            ...(owes(job, changes) === 'by_bill' ? ['pay_extras'] : []),
          ]
        : ['start_visit', 'cannot_finish'];
    case 'shift':
      return job.body.state === 'planned' && last === null
        ? ['open_shift']
        : ['load', 'take_over', REPORT, 'close_shift'];
    case 'cargo': {
      const next = new Set(job.body.pieces.map((piece) => piece.next));
      const open = ON_THE_WAY.filter(([kind]) => next.has(kind)).map(([, form]) => form);
      return job.body.pieces.length > 0 ? [...open, REPORT] : [];
    }
    case 'pick_list':
      // Where nothing was scanned there is nothing to be put back.
      return (PICKING[job.body.state] ?? []).filter(
        (name) => name !== 'pick_again' || job.body.scans.length > 0,
      );
    case 'arrival':
      if (job.body.scans.length === 0) return ['receive'];
      return isAllIn(job.body) ? ['finish_receipt', 'receive'] : ['receive', 'finish_receipt'];
    case 'count':
      return job.body.lines.every((line) => line.counted) ? ['finish_count', 'count'] : ['count'];
    case 'proof':
      // Whoever has appealed waits for the desk.
      return job.body.counts || job.body.standing === 'appealed' || last !== null ? [] : ['appeal'];
    default:
      return null;
  }
}

/** Tell whether a form asks nothing, so that one tap does it. */
export function isQuick(form: Form): boolean {
  return form.slots.every((slot) => slot.type === 'place' || slot.type === 'dwell');
}
