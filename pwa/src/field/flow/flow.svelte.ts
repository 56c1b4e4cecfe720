/** A form that is being filled in: every answer is on the disk before the next is asked. */

import { hex } from '../../shared/sync/canonical';
import { StorageFull } from '../../shared/sync/database';
import type { DraftPicture } from '../../shared/sync/schema';
import type { Json } from '../../shared/sync/wire';
import { UNDO_MS } from '../../shared/sync/undo';
import { shrink } from '../camera/camera';
import type { Flaw } from '../camera/measure';
import type { Packed, Shrunk } from '../camera/shrink.worker';
import { phone } from '../phone.svelte';
import type { Known } from '../work';
import { beeped, settled } from './cargo';
import { madeBy } from './amending';
import { changeOf } from './changes';
import {
  begin,
  choices,
  eventSlot,
  filledIn,
  isBeside,
  isStepwise,
  list,
  next,
  payload,
  steps,
  type Answers,
  type Filled,
  type Form,
  type Photo,
  type Slot,
} from './forms';
import { isIdle, isPart, unscanned } from './partly';
import { away } from './nearby';
import { bought } from './paying';
import { pricesOf } from './selling';
import { touched } from './touched';

/** The number of the body of `scans.add` that this version writes. */
const SCANS_SCHEMA = 1;

/** Kinds of jobs whose boxes go elsewhere with each beep, before the server knows. */
const BOXES_MOVE: readonly string[] = ['cargo', 'van_out'];

/** Under what a draft of a form on a job lies on the phone. */
export function draftKey(form: Form, job: Known): string {
  return `${job.kind}:${job.id}:${form.name}`;
}

export class Flow {
  filled: Filled;
  /** How good the photos are that were taken since the flow was opened, by slot. */
  flaws = $state<{ [slot: string]: Flaw | null }>({});
  /** The phone has no room: what was tried last was not kept. */
  full = $state(false);
  /** The office has said of an answer that it is wrong; it may be handed in all the same. */
  doubted = $state<string | null>(null);
  #writing: Promise<void> = Promise.resolve();
  /** Beeps, one after the other: each makes of the job what it is after the one before. */
  #keeping: Promise<void> = Promise.resolve();

  private constructor(
    readonly form: Form,
    readonly job: Known,
    filled: Filled,
  ) {
    this.filled = $state.raw(filled);
  }

  /** Open a form on a job, as far as it was filled in before. */
  static async open(form: Form, job: Known): Promise<Flow> {
    const kept = await phone.drafts.read(phone.person_id, draftKey(form, job));
    const filled =
      kept === null ? begin(form, Date.now()) : settled(form, job, takenUp(form, kept));
    const flow = new Flow(form, job, filled);
    flow.doubted = (kept as { doubted?: string } | null)?.doubted ?? null;
    if (form.slots.some((slot) => slot.type === 'place')) flow.#locate();
    const event = eventSlot(form);
    const first = madeBy(job);
    if (event !== null && first !== null) await flow.answer(event.name, first);
    return flow;
  }

  get steps() {
    return steps(this.form, this.job, this.filled);
  }

  /** The step that is to be done next, or null when all is there; what was wrong is done once more. */
  get next() {
    const wrong = this.steps.find(({ slot }) => slot.name === this.doubted);
    return next(this.steps) ?? wrong ?? null;
  }

  /** What is captured now leaves more of the same to be done. */
  get part() {
    return isPart(this.form, this.job, this.filled);
  }

  /** So many boxes of this step were not scanned, where each scan is kept by itself. */
  get unscanned() {
    return isStepwise(this.form) ? unscanned(this.form, this.job, this.filled) : 0;
  }

  /** None of the boxes was scanned, whatever else was: there is nothing to end. */
  get idle() {
    return isStepwise(this.form) && isIdle(this.form, this.job, this.filled);
  }

  /** So many metres the phone is from where the job is done; null where that is near, or not known. */
  get away() {
    return away(this.job, this.filled.answers['place']);
  }

  /** Answer a slot; a null takes the answer back. */
  answer(name: string, value: Json): Promise<void> {
    const answers = { ...this.filled.answers, [name]: value };
    if (value === null) delete answers[name];
    const passed = this.filled.passed.filter((one) => one !== name);
    if (this.doubted === name) this.doubted = null;
    return this.#write({ ...this.filled, answers, passed });
  }

  /** Note that the office has said of an answer that it is wrong; a new answer says so no more. */
  doubt(name: string): Promise<void> {
    this.doubted = name;
    return this.#write(this.filled);
  }

  /** Pass over what cannot be done here; a dispatcher will see what is missing. */
  pass(name: string): Promise<void> {
    return this.#write({ ...this.filled, passed: [...this.filled.passed, name] });
  }

  /** Keep a photo that was just taken, in the place of the one that this slot had. */
  async keepPhoto(slot: string, file: Blob): Promise<void> {
    const { photo, preview, flaw } = await made(file);
    const before = list<Photo>(this.filled.answers['photos']);
    const gone = before.filter((one) => one.slot === slot);
    const named = { slot, sha256: photo.sha256, preview_sha256: preview?.sha256 ?? null };
    const photos = [...before.filter((one) => one.slot !== slot), named];
    const taken: Omit<DraftPicture, 'person_id' | 'key'>[] = [{ kind: 'photo', ...photo }];
    if (preview !== null) taken.push({ kind: 'preview', ...preview });
    const now = new Set(taken.map((one) => one.sha256));
    const dropped = gone
      .flatMap((one) => [one.sha256, one.preview_sha256])
      .filter((one): one is string => one !== null && !now.has(one));
    const answers = { ...this.filled.answers, photos: photos as unknown as Json };
    const passed = this.filled.passed.filter((one) => one !== 'photos');
    await this.#write({ ...this.filled, answers, passed }, taken, dropped);
    this.flaws[slot] = flaw;
  }

  /** Take back a photo that was not asked for. */
  async dropPhoto(slot: string): Promise<void> {
    const all = list<Photo>(this.filled.answers['photos']);
    const photos = all.filter((one) => one.slot !== slot);
    const gone = all
      .filter((one) => one.slot === slot)
      .flatMap((one) => [one.sha256, one.preview_sha256])
      .filter((one) => one !== null)
      .filter((one) => !photos.some((other) => [other.sha256, other.preview_sha256].includes(one)));
    const answers: Answers = { ...this.filled.answers, photos: photos as unknown as Json };
    if (photos.length === 0) delete answers['photos'];
    await this.#write({ ...this.filled, answers }, [], gone);
  }

  /** Keep a beep as a capture of its own, whatever becomes of this form; where it `counts` it is on its list. */
  keepScan(slot: Slot, label_no: string, counts = true): Promise<void> {
    const kept = this.#keeping.then(() => this.#keepScan(slot, label_no, counts));
    // One that fails tells its own caller, and does not hold up the next.
    this.#keeping = kept.catch(() => undefined);
    return kept;
  }

  async #keepScan({ name, scan_kind }: Slot, label_no: string, counts: boolean): Promise<void> {
    await this.#writing;
    const { place } = this.filled.answers;
    const captured_at = new Date().toISOString();
    const scan = { scan_uid: crypto.randomUUID(), label_no, kind: scan_kind, captured_at };
    const lane = `${this.job.kind}:${this.job.id}`;
    const before = changeOf(this.job, phone.work.changes);
    const held = beeped(before, label_no, scan_kind ?? '', Date.now());
    const kept = await this.#try(() =>
      phone.keep({
        type: 'scans.add',
        schema: SCANS_SCHEMA,
        lane,
        payload: { scans: [place === undefined ? scan : { ...scan, place }] },
        ...(BOXES_MOVE.includes(this.job.kind) ? { changes: { [lane]: held as never } } : {}),
      }),
    );
    if (!kept || !counts) return;
    await this.answer(name, [...list<string>(this.filled.answers[name]), label_no]);
  }

  /** Return what a picture of this flow looks like, small where there is a small one. */
  async picture({ sha256, preview_sha256 }: Photo): Promise<Blob | null> {
    await this.#writing;
    const key = draftKey(this.form, this.job);
    const kept = await phone.drafts.picture(phone.person_id, key, preview_sha256 ?? sha256);
    return kept === undefined ? null : new Blob([kept.bytes], { type: kept.mime });
  }

  /** Capture it: once this has returned true it is on the disk, and goes out by itself. */
  async commit(): Promise<boolean> {
    await this.#keeping;
    await this.#writing;
    const { form, job } = this;
    if (isStepwise(form)) {
      await this.drop();
      return true;
    }
    const lane = job.kind === 'none' ? `none:${form.name}` : `${job.kind}:${job.id}`;
    const said = payload(form, job, this.filled, Date.now());
    const changes = touched(form, job, said, choices(form, this.filled), {
      hands: `cargo:${phone.person_id}`,
      changes: phone.work.changes,
      at: Date.now(),
    });
    return this.#try(() =>
      phone.keep({
        type: form.capture,
        schema: form.schema,
        lane,
        payload: said,
        ...(isBeside(form, job)
          ? {}
          : {
              changes: (event_id: string) => ({
                ...(changes as unknown as { [key: string]: Json }),
                ...this.#bought(said, event_id),
              }),
            }),
        draft: draftKey(form, job),
        ...(form.undo ? { undo_ms: UNDO_MS } : {}),
      }),
    );
  }

  /** What this capture makes of the extras of a visit. */
  #bought(said: Answers, event_id: string): { [key: string]: Json } {
    const { form, job } = this;
    if (job.kind !== 'visit') return {};
    const { documents, changes } = phone.work;
    const captured = { form: form.name, visit: job, said, event_id, at: Date.now() };
    return bought(captured, pricesOf(documents), changes);
  }

  /** Forget what was filled in. */
  async drop(): Promise<void> {
    await this.#writing;
    await phone.drafts.drop(phone.person_id, draftKey(this.form, this.job));
  }

  #write(
    filled: Filled,
    taken: Omit<DraftPicture, 'person_id' | 'key'>[] = [],
    dropped: string[] = [],
  ): Promise<void> {
    const before = this.filled;
    this.filled = filled;
    const draft = {
      person_id: phone.person_id,
      key: draftKey(this.form, this.job),
      value: { ...filled, open: this.#isOpen(filled), doubted: this.doubted } as unknown as Json,
    };
    this.#writing = this.#writing.then(() =>
      this.#try(async () => {
        await phone.drafts.write(draft, taken, dropped);
      }).then((kept) => {
        // A screen never shows what was not kept.
        if (!kept && this.filled === filled) this.filled = before;
        // Whether something is begun is told at the top.
        if (phone.open.includes(draft.key) !== this.#isOpen(filled)) void phone.look();
      }),
    );
    return this.#writing;
  }

  /** Tell whether its person has begun what only the end hands in. */
  #isOpen(filled: Filled): boolean {
    return !isStepwise(this.form) && filledIn(this.form, filled).length > 0;
  }

  /** Do what needs room, and say whether there was any. */
  async #try(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.full = false;
      return true;
    } catch (failure) {
      if (!(failure instanceof StorageFull)) throw failure;
      this.full = true;
      return false;
    }
  }

  /** Note the place as soon as the phone knows it; nobody waits for it, and it hinders nothing. */
  #locate(): void {
    navigator.geolocation?.getCurrentPosition(
      ({ coords: { latitude, longitude, accuracy } }) => {
        const place = { lat: latitude, lng: longitude, accuracy_m: Math.min(accuracy, 100_000) };
        void this.answer('place', place);
      },
      () => undefined,
      { enableHighAccuracy: true, maximumAge: 60_000, timeout: 60_000 },
    );
  }
}

/** Take up what was filled in before; of another version of the form what still has a slot. */
function takenUp(form: Form, kept: Json): Filled {
  const filled = kept as unknown as Filled;
  if (filled.version === form.version) return filled;
  const names = new Set([...form.slots.map((slot) => slot.name), 'photos']);
  const answers = Object.entries(filled.answers).filter(([name]) => names.has(name));
  return { ...filled, version: form.version, answers: Object.fromEntries(answers) };
}

/** Shrink a photo; where that fails the file itself is kept, for it cannot be taken again. */
async function made(file: Blob): Promise<Omit<Shrunk, 'n'>> {
  try {
    return await shrink(file);
  } catch {
    const bytes = await file.arrayBuffer();
    const sha256 = hex(await crypto.subtle.digest('SHA-256', bytes));
    const photo: Packed = { sha256, mime: file.type || 'application/octet-stream', bytes };
    return { photo, preview: null, flaw: null };
  }
}
