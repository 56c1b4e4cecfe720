/**
 * What captures on this phone have made of a job that the server's documents do not know of yet.
 *
 * A capture may be one of several on a job: what was scanned with those before stays beside it.
 */

import type { Json } from '../../shared/sync/wire';
import type { Known } from '../work';
import { fetched, reported } from './cargo';
import type { Answers } from './forms';

export type Changes = ReadonlyMap<string, Json>;

export interface Change {
  form: string;
  at: number;
  /** Picking was begun anew: what was scanned before does not count. */
  anew?: true;
  /** What was chosen in it; not there where a version before this one has written it. */
  chosen?: string[];
  scans?: unknown[];
  lines?: string[];
}

interface JobRef {
  kind: string;
  id: string;
}

/** Return the last change of a job, if the documents do not know of it. */
export function changeOf(job: JobRef, changes: Changes): Change | null {
  return (changes.get(`${job.kind}:${job.id}`) as unknown as Change | undefined) ?? null;
}

/** Return what a capture makes of a job, over what those before it have. */
export function changed(form: string, said: Answers, before: Change | null, at: number): Change {
  const change: Change = { form, at };
  if (form === 'pick_again' || before?.anew === true) change.anew = true;
  const scans = [...(before?.scans ?? []), ...list(said['scans'])];
  if (scans.length > 0 && form !== 'pick_again') change.scans = scans;
  const lines = list(said['entries']).map((one) => (one as { line_id: string }).line_id);
  if (form === 'count') change.lines = [...(before?.lines ?? []), ...lines];
  return change;
}

/**
 * Return what a capture makes of all that it touches: its job, and what is in its person's hands.
 *
 * `hands` is the key of the latter.
 */
export function touched(
  form: { name: string },
  job: Known,
  said: Answers,
  chosen: string[],
  { hands, changes, at }: { hands: string; changes: Changes; at: number },
): { [key: string]: Change } {
  const held = (changes.get(hands) as unknown as Change | undefined) ?? null;
  // What becomes of reported boxes the office decides: their job goes on as it stands.
  if (form.name === 'report_piece') return { [hands]: reported(held, said, at) };
  if (job.kind === 'none') return {};
  const own = { ...changed(form.name, said, changeOf(job, changes), at), chosen };
  const made = { [`${job.kind}:${job.id}`]: own };
  if (form.name !== 'pick_up' || job.kind !== 'manifest') return made;
  return { ...made, [hands]: fetched(held, job.body.pieces, at) };
}

function list(value: Json | undefined): unknown[] {
  return Array.isArray(value) ? value : [];
}
