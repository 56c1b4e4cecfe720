/**
 * What a form asks of this person now: which steps, what each demands, and what is still open.
 *
 * The server describes the form, the job's document says which proofs its recipe wants, and what was
 * answered so far decides the rest. Nothing here touches the screen or the storage.
 */

import type { components } from '../../generated/api';
import type { Json } from '../../shared/sync/wire';
import type { Known } from '../work';
import { isMeasured, type Box } from './boxes';
import { kindOf } from './done-jobs';
import { EXTRA } from './extra';
import { owed } from './paying';
import { boxesBack, labels, loaded } from './job-labels';
import { lacksCode } from './proofs';
import { areWhole, BEFORE, units } from './units';

type Schemas = components['schemas'];

export type Form = Schemas['Form'];
export type Slot = Schemas['Slot'];
export type Answers = { [name: string]: Json };

/** What was filled in of a form so far. */
export interface Filled {
  version: string;
  begun_ms: number;
  answers: Answers;
  /** Steps that their person has passed over: it could not be done here. */
  passed: string[];
}

/** One step of a flow. */
export interface Step {
  slot: Slot;
  required: boolean;
  answered: boolean;
  passed: boolean;
}

export interface Photo {
  slot: string;
  sha256: string;
  preview_sha256: string | null;
}

export interface KeptBack {
  fulfilment_line_id: string;
  quantity: number;
  serials: string[];
  reason: string;
}

export interface Tender {
  method: string;
  amount_minor: number;
  reference: string;
}

/** Where a parcel is that a shift holds at its end. */
export interface Explained {
  fulfilment_id: string;
  reason: string;
  words: string;
}

/** What the phone notes by itself; nobody is asked. */
const SILENT: readonly Slot['type'][] = ['place', 'dwell', 'event', 'later', 'sum'];

/** Return the slot that names an earlier capture, if the form speaks of one. */
export function eventSlot(form: Form): Slot | null {
  return form.slots.find((slot) => slot.type === 'event') ?? null;
}

/** Tell whether a form speaks about a job without being a part of its work: it changes nothing of it. */
export function isBeside(form: Form, job: Known): boolean {
  return (form.beside as string[]).includes(kindOf(job));
}

/** Tell whether each step of a form is captured as it is taken, so that its end captures nothing. */
export function isStepwise(form: Form): boolean {
  return form.slots.length > 0 && form.slots.every((slot) => slot.scan_kind !== null);
}

/** Name the steps that have an answer of their person: what the phone notes by itself is none. */
export function filledIn(form: Form, { answers }: Filled): string[] {
  return form.slots
    .filter((slot) => !SILENT.includes(slot.type))
    .map((slot) => slot.name)
    .filter((name) => {
      const answer = answers[name];
      return Array.isArray(answer) ? answer.length > 0 : answer !== undefined;
    });
}

/** Begin a form at this moment. */
export function begin(form: Form, now: number): Filled {
  return { version: form.version, begun_ms: now, answers: {}, passed: [] };
}

/** Return the steps in their order. */
export function steps(form: Form, job: Known, filled: Filled): Step[] {
  return form.slots
    .filter((slot) => !SILENT.includes(slot.type) && isOffered(slot, job))
    .map((slot) => ({
      slot,
      required: isRequired(slot, job, filled.answers, form),
      answered: isAnswered(slot, job, filled.answers, form),
      passed: filled.passed.includes(slot.name),
    }));
}

/** A code is told later only where the proof was not accepted for its code. */
function isOffered(slot: Slot, job: Known): boolean {
  return slot.type !== 'handover_code' || job.kind !== 'proof' || isAsked(slot, job, {});
}

/** Return the step that is to be done next; null when everything that is required is done. */
export function next(all: Step[]): Step | null {
  return all.find((step) => step.required && !step.answered && !step.passed) ?? null;
}

/** Types whose answer a capture may lack, wherever they are asked: a person looks at it then. */
const PROVES: readonly Slot['type'][] = ['photos', 'scans', 'sign_off', 'topics', 'units'];

/** Tell whether a step may be passed over: what proves something may be missing, what says it may not. */
export function mayPass({ slot, answered }: Step, answers: Answers): boolean {
  if (answered) return false;
  if (PROVES.includes(slot.type)) return true;
  return slot.proof !== null && (!slot.required || answers[slot.name] !== undefined);
}

/** Return the proofs that the job asks for, by who takes the goods. */
export function proofs(job: Known, answers: Answers): string[] {
  if (job.kind === 'proof') return lacksCode(job.body) ? ['code'] : [];
  return job.kind === 'stop' ? recipe(job, answers).proofs : [];
}

/** Name the pictures that are wanted, in the order of taking. */
export function photoSlots(form: Form, job: Known, answers: Answers): string[] {
  const chosen = form.slots.flatMap((slot) =>
    slot.options.filter((option) => option.value === answers[slot.name]),
  );
  const asked = chosen.flatMap((option) => option.photo_slots);
  if (form.capture === 'pod.record' && job.kind === 'stop') {
    const { proofs: named, photo_slots } = recipe(job, answers);
    if (named.includes('photo')) asked.push(...photo_slots);
  }
  if (form.capture === 'visit.complete' && job.kind === 'visit') {
    const all = job.body.units.flatMap((unit) => unit.photo_slots);
    const gone = lacksBefore(form, job, answers);
    asked.push(...all.filter((one) => one !== BEFORE || !gone));
  }
  return [...new Set(asked)];
}

/** Tell whether the photo before the work is still to be taken, with nothing else beside it. */
export function waitsForBefore(form: Form, job: Known, answers: Answers): boolean {
  return withoutBefore(form, job, answers) === 'waits';
}

/** Tell whether that photo is missing for good: once anything is noted of the goods they stand. */
export function lacksBefore(form: Form, job: Known, answers: Answers): boolean {
  return withoutBefore(form, job, answers) === 'lacks';
}

function withoutBefore(form: Form, job: Known, answers: Answers): 'waits' | 'lacks' | null {
  const goods = form.slots.find((slot) => slot.type === 'units');
  if (goods === undefined || job.kind !== 'visit') return null;
  if (!job.body.units.some((unit) => unit.photo_slots.includes(BEFORE))) return null;
  if (list<Photo>(answers['photos']).some((photo) => photo.slot === BEFORE)) return null;
  return list(answers[goods.name]).length > 0 ? 'lacks' : 'waits';
}

/** Return what was chosen of what a form offers. */
export function choices(form: Form, filled: Filled): string[] {
  return form.slots
    .filter((slot) => slot.type === 'choice')
    .map((slot) => filled.answers[slot.name])
    .filter((answer) => typeof answer === 'string');
}

/** Return the money that is due at the door for what is handed over, or at a visit for its extras. */
export function due(job: Known, answers: Answers): number {
  if (job.kind === 'visit') return owed(job.body);
  if (job.kind !== 'stop') return 0;
  const prices = new Map(
    job.body.goods.map((line) => [line.fulfilment_line_id, line.unit_price_minor]),
  );
  const kept = list<KeptBack>(answers['kept_back'])
    .map((one) => one.quantity * (prices.get(one.fulfilment_line_id) ?? 0))
    .reduce((sum, each) => sum + each, 0);
  return Math.max(0, job.body.cash_due_minor - kept);
}

/** Return the money that was taken so far. */
export function tendered(answers: Answers): number {
  return list<Tender>(answers['tenders']).reduce((sum, one) => sum + one.amount_minor, 0);
}

/** Return the topics of all checklists of a visit, each once. */
export function topics(job: Known): { id: string; text: string }[] {
  if (job.kind !== 'visit') return [];
  const all = job.body.units.flatMap((unit) => unit.checklist?.demo_topics ?? []);
  return [...new Map(all.map((topic) => [topic.id, topic])).values()];
}

/** Return what a capture of this form says. */
export function payload(form: Form, job: Known, filled: Filled, now: number): Answers {
  const said: Answers = {};
  if (form.job_id !== null) said[form.job_id] = idOf(form, job);
  // The earlier capture says for itself which job it is about.
  if (isBeside(form, job) && job.kind !== 'none' && eventSlot(form) === null) {
    Object.assign(said, { job_kind: kindOf(job), job_id: job.id });
  }
  for (const slot of form.slots) {
    const answer = filled.answers[slot.name];
    if (slot.scan_kind !== null || answer === undefined || answer === null) continue;
    said[slot.name] = answer;
  }
  const dwell = form.slots.find((slot) => slot.type === 'dwell');
  if (dwell !== undefined) said[dwell.name] = Math.round(clamp(now - filled.begun_ms) / 1_000);
  // A report without its pieces says so: a capture that lacks the list cannot be read.
  const pieces = form.slots.find((slot) => slot.type === 'units');
  if (pieces !== undefined) said[pieces.name] = list(filled.answers[pieces.name]);
  const photos = list<Photo>(filled.answers['photos']);
  if (photos.length > 0) {
    // What another answer had asked for is no part of this one.
    const wanted = photoSlots(form, job, filled.answers);
    said['photos'] = photos.filter(
      (one) => wanted.includes(one.slot) || isExtra(one.slot),
    ) as never;
  }
  const money = ['pod.record', 'visit.extras_paid'];
  if (money.includes(form.capture)) said['shown_minor'] = due(job, filled.answers);
  return said;
}

function isExtra(slot: string): boolean {
  return slot.startsWith(EXTRA);
}

export function list<T>(answer: Json | undefined): T[] {
  return Array.isArray(answer) ? (answer as T[]) : [];
}

function recipe(job: Extract<Known, { kind: 'stop' }>, answers: Answers): Schemas['RecipeOut'] {
  const relation = (answers['receiver'] as { relation?: string } | undefined)?.relation;
  return relation === undefined || relation === 'customer'
    ? job.body.recipe
    : job.body.recipe_other;
}

function isRequired(slot: Slot, job: Known, answers: Answers, form: Form): boolean {
  switch (slot.type) {
    case 'photos':
      return photoSlots(form, job, answers).length > 0;
    case 'labels':
      return isAsked(slot, job, answers) && labels(job).length > 0;
    case 'tenders':
      return isAsked(slot, job, answers) && due(job, answers) > 0;
    case 'topics':
      return topics(job).length > 0;
    case 'explanations':
      return held(job).length > 0;
    case 'units':
      return units(job, undefined).length > 0;
    case 'kept_back':
      return isInPart(answers);
    case 'words':
      // The right code says enough.
      return slot.required && answers['handover_code'] === undefined;
    default:
      return slot.required || isAsked(slot, job, answers);
  }
}

function isAsked(slot: Slot, job: Known, answers: Answers): boolean {
  return slot.proof !== null && proofs(job, answers).includes(slot.proof);
}

function isAnswered(slot: Slot, job: Known, answers: Answers, form: Form): boolean {
  const answer = answers[slot.name];
  switch (slot.type) {
    case 'labels':
    case 'scans': {
      const said = list<string>(answer);
      const seen = [...loaded(job), ...said];
      const wanted = labels(job, slot, said);
      // What is kept back is not handed over: one box at least is, as the server asks.
      const there = wanted.filter((label) => seen.includes(label)).length;
      const back = boxesBack(job, answers);
      if (isInPart(answers) && back === 0) return there > 0;
      // What was handed over as well does not come back.
      if (boxesBack(job, answers, seen) < back) return false;
      return there >= Math.max(Math.min(wanted.length, 1), wanted.length - back);
    }
    case 'kept_back':
      return (
        list<KeptBack>(answer).length > 0 &&
        list<KeptBack>(answer).every((one) => one.reason !== '')
      );
    case 'photos': {
      const taken = list<Photo>(answer).map((photo) => photo.slot);
      const wanted = photoSlots(form, job, answers);
      return taken.length > 0 && wanted.every((one) => taken.includes(one));
    }
    case 'receiver': {
      const who = answer as { name: string; relation: string } | undefined;
      if (who === undefined) return false;
      return who.name.trim() !== '' || !isAsked(slot, job, answers);
    }
    case 'tenders':
      return isAllTaken(job, answers);
    case 'bill':
      return answers['bill_later'] === true || isAllTaken(job, answers);
    case 'topics': {
      const shown = list<string>(answer);
      return topics(job).every((topic) => shown.includes(topic.id));
    }
    case 'agreement':
    case 'sign_off': {
      const signed = answer as { name: string; strokes: unknown[] } | undefined;
      return signed !== undefined && signed.name.trim() !== '' && signed.strokes.length > 0;
    }
    case 'explanations': {
      const said = list<Explained>(answer).map((one) => one.fulfilment_id);
      return held(job).every((parcel) => said.includes(parcel));
    }
    case 'units':
      return areWhole(job, answer);
    case 'answers': {
      const said = list<{ code: string; ok: boolean; words: string }>(answer)
        .filter(({ ok, words }) => ok || words.trim().length >= FEW_LETTERS)
        .map((one) => one.code);
      return (
        job.kind === 'shift_checklist' && job.body.items.every(({ code }) => said.includes(code))
      );
    }
    case 'boxes':
      return list<Box>(answer).length > 0 && list<Box>(answer).every(isMeasured);
    case 'codes':
    case 'extras':
    case 'pieces':
    case 'receipt':
    case 'shelves':
    case 'taken':
      return list(answer).length > 0;
    case 'words':
      return String(answer ?? '').trim().length >= (slot.required ? FEW_LETTERS : 1);
    default:
      return answer !== undefined && answer !== null && answer !== '';
  }
}

/** Tell whether something of a parcel is not handed over. */
export function isInPart(answers: Answers): boolean {
  return list(answers['kept_back']).length > 0;
}

function isAllTaken(job: Known, answers: Answers): boolean {
  return tendered(answers) > 0 && tendered(answers) === due(job, answers);
}

/** Words that say something have so many letters. */
export const FEW_LETTERS = 3;

function held(job: Known): string[] {
  return job.kind === 'shift' ? job.body.holding.parcels.map((one) => one.fulfilment_id) : [];
}

function idOf(form: Form, job: Known): string {
  const named = (job.body as unknown as Answers)[form.job_id ?? ''];
  return typeof named === 'string' ? named : job.id;
}

/** A clock that was set back gives no time at all, and no visit lasts longer than a day. */
function clamp(ms: number): number {
  return Math.min(Math.max(ms, 0), 24 * 60 * 60_000);
}
