/** A person's work as the list shows it: what kind of job each is, in the order of doing. */

import type { components } from '../generated/api';
import type { StoredDocument } from '../shared/sync/schema';

type Schemas = components['schemas'];

/** What each kind of document is. */
export interface Bodies {
  run: Schemas['RunTour'];
  stop: Schemas['StopOut'];
  offer: Schemas['WorkOfferOut'];
  manifest: Schemas['ManifestOut'];
  cargo: Schemas['Cargo'];
  waiting: Schemas['WaitingParcel'];
  visit: Schemas['VisitCard'];
  pick_list: Schemas['PickListOut'];
  van_out: Schemas['VanOut'];
  arrival: Schemas['ExpectedArrivalOut'];
  count: Schemas['OpenCountOut'];
  shift: Schemas['ShiftOut'];
  shift_checklist: Schemas['ShiftChecklistOut'];
  proof: Schemas['PodCheckOut'];
  my_place: Schemas['MyPlaces'];
  day: Schemas['OwnDay'];
  work_day: Schemas['WorkDay'];
  word: Schemas['OwnWord'];
  /** A job of today that the office knows to be over; it stands in the day's document. */
  done: Schemas['DoneJob'];
  earning_rates: Schemas['EarningRates'];
  earned_day: Schemas['EarnedDay'];
  manual: Schemas['OwnManual'];
  price_list: Schemas['PriceList'];
  van_parts: Schemas['VanParts'];
  form: Schemas['Form'];
  none: Record<string, never>;
}

export type Kind = keyof Bodies;

/** A document of a kind that this version knows. */
export type Known = { [K in Kind]: { kind: K; id: string; body: Bodies[K] } }[Kind];

/** What a form is filled in on that belongs to no job. */
export const NO_JOB: Known = { kind: 'none', id: 'none', body: {} };

/** Kinds that are jobs of their own, in the order in which a day has them. */
const JOBS = ['manifest', 'stop', 'visit', 'pick_list', 'arrival', 'count'] as const;

export type Job = Extract<Known, { kind: (typeof JOBS)[number] }>;

/** Return the documents of a kind, as they came. */
export function of<K extends Kind>(documents: StoredDocument[], kind: K): Bodies[K][] {
  return documents
    .filter((one) => one.kind === kind)
    .map((one) => one.body as unknown as Bodies[K]);
}

const OLD_FORM = { beside: [] as string[], offered_on: [] as string[], ends: false };

/** Return the forms that this person may fill in, in the order in which a job offers them. */
export function forms(documents: StoredDocument[]): Schemas['Form'][] {
  return (
    of(documents, 'form')
      // A form that a server before this version has described is beside nothing, and ends nothing.
      .map((form) => ({ ...OLD_FORM, ...form }))
      .toSorted((a, b) => a.position - b.position)
  );
}

/** Return one document, or null where there is none of that id any more. */
export function find(documents: StoredDocument[], kind: string, id: string): Known | null {
  if (kind === NO_JOB.kind) return NO_JOB;
  const found = documents.find((one) => one.kind === kind && one.id === id);
  // Hands are there before the server knows that something is in them.
  if (found === undefined && kind === 'cargo') return { kind, id, body: { pieces: [] } };
  return found === undefined ? null : (found as unknown as Known);
}

/** Return the jobs in the order of doing: stops as their run drives, visits by their hour. */
export function jobs(documents: StoredDocument[]): Job[] {
  const order = new Map(
    // What is driven comes before what nobody has accepted yet.
    of(documents, 'run')
      .toSorted((a, b) => Number(a.state === 'planned') - Number(b.state === 'planned'))
      .flatMap((run, n) => run.stop_ids.map((id, at): [string, number] => [id, n * 1_000 + at])),
  );
  const rank = (job: Job): [number, number | string] => {
    const kind = JOBS.indexOf(job.kind);
    if (job.kind === 'stop') return [kind, order.get(job.id) ?? Number.MAX_SAFE_INTEGER];
    if (job.kind === 'visit') return [kind, job.body.starts_at];
    return [kind, job.body.number];
  };
  return documents
    .filter((one) => (JOBS as readonly string[]).includes(one.kind))
    .map((one) => one as unknown as Job)
    .filter((job) => job.kind !== 'stop' || job.body.state === 'open')
    .map((job) => ({ job, by: rank(job) }))
    .toSorted((a, b) => a.by[0] - b.by[0] || compare(a.by[1], b.by[1]))
    .map(({ job }) => job);
}

export interface Window {
  from_at: string;
  until_at: string;
}

/** Return from when until when a customer waits for a job; null where nothing was said. */
export function expected(job: Known): Window | null {
  if (job.kind === 'visit') return { from_at: job.body.starts_at, until_at: job.body.ends_at };
  // A stop that a server before this version has told of says nothing of it.
  return job.kind === 'stop' ? (job.body.window ?? null) : null;
}

/** So long before its hour a job may be begun without asking anybody. */
const EARLY_MS = 30 * 60_000;

/** Tell whether somebody expects this job, and not yet. */
export function isFarOff(job: Known, now: number): boolean {
  const window = expected(job);
  return window !== null && Date.parse(window.from_at) - now > EARLY_MS;
}

export interface Money {
  minor: number;
  currency: string;
}

/** Return the money that is still due at the doors of these jobs together, by currency. */
export function collect(open: Job[]): Money[] {
  return summed(
    open.flatMap(({ kind, body: stop }) =>
      kind === 'stop' && stop.cash_due_minor > 0
        ? [{ minor: stop.cash_due_minor, currency: stop.currency }]
        : [],
    ),
  );
}

/** Add up what is of the same currency. */
export function summed(parts: Money[]): Money[] {
  const sums = new Map<string, number>();
  for (const { minor, currency } of parts) sums.set(currency, (sums.get(currency) ?? 0) + minor);
  return [...sums].map(([currency, minor]) => ({ minor, currency }));
}

/** Return the jobs that say all these words somewhere: a name, a street, a number, a label, a model. */
export function matching(list: Job[], words: string): Job[] {
  const wanted = words
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (wanted.length === 0) return list;
  return list.filter((job) => {
    const said = JSON.stringify(job.body).toLowerCase();
    return wanted.every((word) => said.includes(word));
  });
}

/** Write an address in the order in which a driver looks for it; nothing of it stands there twice. */
export function lines(address: Schemas['DoorAddress']): string[] {
  const { line1, building, floor, flat, area, city, postcode } = address;
  const house = [building, floor, flat].filter((part) => part !== '');
  // Floor 2 is not in "Road 214": only a line that has the whole of it as words tells it already.
  const told = building !== '' && house.every((part) => inWords(line1).includes(inWords(part)));
  // Where there are no postcodes, shops ask for one all the same.
  const code = /^0*$/.test(postcode) ? '' : postcode;
  const town = [area, city, code].filter((part) => part !== '');
  return [line1, told ? '' : house.join(' · '), town.join(', ')].filter((line) => line !== '');
}

function inWords(text: string): string {
  const words = text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return ` ${words.join(' ')} `;
}

/** Return the proofs that were not accepted, or of which a desk has decided since they were appealed. */
export function questioned(documents: StoredDocument[]): Bodies['proof'][] {
  // A proof that a server before this version has told of says nothing about either.
  return of(documents, 'proof').filter((one) => one.counts === false || one.standing != null);
}

/** Return where a job is looked at; what has no screen of its own stands on the day's list. */
export function screenOf(kind: string, id: string): string {
  if (kind === 'proof') return '#/proofs';
  return [...JOBS, 'cargo', 'waiting', 'done'].includes(kind) ? `#/job/${kind}/${id}` : '#/';
}

/** Count what is to be packed here, how much of it is late, and by when the next is to be done. */
export function toPack(
  open: Job[],
  now: number,
): { count: number; late: number; next: string | undefined } {
  const parcels = open.flatMap((job) => (job.kind === 'pick_list' ? [job.body] : []));
  const late = parcels.filter((list) => isLate(list, now));
  const next = parcels
    .filter((list) => !late.includes(list))
    .map((list) => list.late_at)
    .toSorted()[0];
  return { count: parcels.length, late: late.length, next };
}

export function isLate(list: Bodies['pick_list'], now: number): boolean {
  return now > Date.parse(list.late_at);
}

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
