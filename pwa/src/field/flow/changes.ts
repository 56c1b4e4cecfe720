/**
 * What captures on this phone have made of a job that the server's documents do not know of yet.
 *
 * A capture may be one of several on a job: what was scanned with those before stays beside it.
 */

import type { Json } from '../../shared/sync/wire';
import type { Answers } from './forms';

export type Changes = ReadonlyMap<string, Json>;

export interface Change {
  form: string;
  at: number;
  /** The form has ended the job. */
  over?: true;
  /** Picking was begun anew: what was scanned before does not count. */
  anew?: true;
  /** What was chosen in it; not there where a version before this one has written it. */
  chosen?: string[];
  scans?: unknown[];
  lines?: string[];
  /** How many pieces were counted there, by the line. */
  found?: { [line_id: string]: number };
  /** What was taken in cash, in minor units of the job's currency. */
  cash_minor?: number;
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
  const entries = list(said['entries']) as { line_id: string; quantity: number }[];
  const lines = entries.map((one) => one.line_id);
  if (form === 'count' || before?.lines !== undefined) {
    change.lines = [...(before?.lines ?? []), ...lines];
    const found = Object.fromEntries(entries.map((one) => [one.line_id, one.quantity]));
    change.found = { ...before?.found, ...found };
  }
  const cash = list(said['tenders']).reduce<number>((sum, one) => sum + inCash(one), 0);
  if (cash > 0) change.cash_minor = cash;
  return change;
}

function inCash(tender: unknown): number {
  const { method, amount_minor } = tender as { method: string; amount_minor: number };
  return method === 'cash' ? amount_minor : 0;
}

function list(value: Json | undefined): unknown[] {
  return Array.isArray(value) ? value : [];
}
