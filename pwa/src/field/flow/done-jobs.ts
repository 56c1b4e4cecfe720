/** Jobs that are over: they stand in the day's document, and what was captured of one can be amended. */

import type { StoredDocument } from '../../shared/sync/schema';
import { find, of, type Bodies, type Known } from '../work';

/** Return a job, also one that the office knows to be over; null where there is none of that id any more. */
export function findAny(documents: StoredDocument[], kind: string, id: string): Known | null {
  if (kind !== 'done') return find(documents, kind, id);
  const found = of(documents, 'day').flatMap((day) => day.done.filter((job) => job.id === id))[0];
  return found === undefined ? null : { kind, id, body: found };
}

/** Return the kind that a job had while there was something to do about it; what is packed was on a pick list. */
export function kindOf(job: Known): string {
  if (job.kind === 'waiting') return 'pick_list';
  return job.kind === 'done' ? job.body.kind : job.kind;
}

/** Tell whether goods of a job that is over were not handed over: they come back. */
export function comesBack(job: Bodies['done']): boolean {
  return job.kind === 'stop' && (job.outcome === 'failed' || (job.recorded?.kept_back ?? 0) > 0);
}
