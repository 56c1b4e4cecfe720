/** What the screens know of this phone: who works with it, their work, and how the sync stands. */

import { browserGauge } from '../shared/browser/ports';
import { Drafts } from '../shared/sync/drafts';
import { changesOf } from '../shared/sync/changing';
import type { Capture } from '../shared/sync/outbox';
import { PinLock } from '../shared/sync/pin';
import type { Work } from '../shared/sync/pull';
import type { OnItsWay } from '../shared/sync/lanes';
import type { Draft, Quarantined, StoredSession } from '../shared/sync/schema';
import type { SignedIn } from '../shared/sync/session';
import type { Sync } from '../shared/sync/sync';
import type { Status } from '../shared/sync/status';
import type { StorageGauge } from '../shared/sync/ports';
import { Undo, type Undoable } from '../shared/sync/undo';
import { isLeftOver } from './flow/left-over';
import { startField, type Running } from './running';

/**
 * `welcome`: nobody works here yet; `sign_in`: the PIN opens no more and must be set anew;
 * `broken`: the storage of this phone does not open.
 */
export type Stage = 'starting' | 'broken' | 'welcome' | 'locked' | 'sign_in' | 'open';

/** A phone that was put away for so long asks for the PIN again. */
export const LOCKS_AFTER_MS = 5 * 60_000;

/** From so full on, or with so little left, a person is warned before the shutter. */
const FULL_AT = 0.9;
const LEAST_LEFT = 10_000_000;

/** How the address of the office's link ends (`core/auth/people.py`). */
const OF_A_LINK = /^#code=([0-9A-Z-]+)$/i;

const NO_WORK: Work = {
  documents: [],
  changes: new Map(),
  made_by: new Map(),
  pulled_ms: null,
};
/** Under this the name of each person of this phone is kept, for its lock screen. */
const ME = 'doorstep-me:';
/** The cache of the photos that are kept for visits to come. */
export const KEPT_PHOTOS = 'doorstep-claim-photos';

/** A person as the top of the screen names them. */
export interface Me {
  person_id: string;
  name: string;
  role: string;
}

class Phone {
  stage = $state<Stage>('starting');
  session = $state<StoredSession['state'] | null>(null);
  me = $state.raw<Me | null>(null);
  work = $state.raw<Work>(NO_WORK);
  status = $state.raw<Status | null>(null);
  sending = $state(false);
  /** What is on its way, by job. */
  lanes = $state.raw<OnItsWay[]>([]);
  /** Captures that will not go through as they are. */
  quarantine = $state.raw<Quarantined[]>([]);
  /** Who else works with this phone, as far as their names are known. */
  others = $state.raw<Me[]>([]);
  /** What is filled in and not handed in yet, as `kind:id:form` (`flow/flow.svelte.ts`). */
  open = $state.raw<readonly string[]>([]);
  /** How full the phone is, as far as its browser says. */
  room = $state.raw<StorageGauge | null>(null);
  /** What this browser had kept as a phone before is gone. */
  lost = $state(false);
  /** How far jobs are, in words, where this phone knows its place (`place/`). */
  distances = $state.raw<ReadonlyMap<string, string>>(new Map());
  /** What was captured last, while it can still be taken back. */
  undoable = $state.raw<Undoable | null>(null);

  /** The code of the link that opened this page (the QR code of the office), for whoever enrols. */
  link_code: string | null = null;

  #field: Running | null = null;
  #pins: PinLock | null = null;
  #person: string | null = null;
  #left_at: number | null = null;
  #looking: Promise<void> = Promise.resolve();

  /** Open the phone as it was left, locked where a person has a PIN. */
  async start(): Promise<void> {
    const field = startField(() => void this.look());
    this.#field = field;
    this.#pins = new PinLock(crypto, () => field.sync.database);
    document.addEventListener('visibilitychange', () => this.#lockIfLeft());
    // A link of the office that is opened in this page.
    window.addEventListener(
      'hashchange',
      () => void (OF_A_LINK.test(location.hash) && location.reload()),
    );
    try {
      await this.#stand();
    } catch (failure) {
      this.stage = 'broken';
      throw failure;
    }
    this.link_code = takeCode();
    const nobody = this.#person === null || this.session === 'signed_out';
    this.stage = nobody || this.link_code !== null ? 'welcome' : 'locked';
    await this.look();
    await this.#sweep();
  }

  /** Enrol this phone by a code from the office, for whoever the code is. */
  async enrol(code: string, pin: string): Promise<SignedIn> {
    const answer = await this.#running().sessions.enrol(code, label(), pin);
    this.lost = this.#running().sessions.lost;
    if (answer === 'ok') await this.#in(pin);
    return answer;
  }

  /** Sign in again with the PIN that the office knows. */
  async signIn(pin: string): Promise<SignedIn> {
    const answer = await this.#running().sessions.signIn(this.#person ?? '', pin);
    if (answer === 'ok') await this.#in(pin);
    await this.#stand();
    return answer;
  }

  /** Open the screen; returns how many tries are left, or null when it is open or asks for more. */
  async unlock(pin: string): Promise<number | null> {
    const answer = await this.#lock().unlock(this.#person ?? '', pin);
    if (answer.open === false) return answer.left;
    this.stage = answer.open === 'sign_in' ? 'sign_in' : 'open';
    return null;
  }

  /** Let somebody else enrol; what this person has captured stays sealed to them until they are back. */
  change(): void {
    this.stage = 'welcome';
  }

  /** Let somebody who works with this phone too unlock it; nothing of whoever was here stays in sight. */
  async turnTo({ person_id }: Me): Promise<void> {
    await this.#running().sessions.turnTo(person_id);
    location.reload();
  }

  /** Who works with this phone; only behind the lock is anybody asked for it. */
  get person_id(): string {
    if (this.#person === null) throw new Error('Nobody works with this phone.');
    return this.#person;
  }

  /** Tell whether the next photos may find no room. */
  get nearlyFull(): boolean {
    const { used, quota } = this.room ?? { used: null, quota: null };
    return used !== null && quota !== null && (used > quota * FULL_AT || quota - used < LEAST_LEFT);
  }

  /** Tell whether somebody has begun to fill in a form on a job, or any where none is named. */
  hasOpen(kind: string, id: string, form?: string): boolean {
    const job = `${kind}:${id}:`;
    return this.open.some((key) => (form ? key === job + form : key.startsWith(job)));
  }

  /** What is filled in on this phone and not captured yet. */
  get drafts(): Drafts {
    return new Drafts(this.#running().sync.database);
  }

  /**
   * Keep a capture and show what it changes; the network is not waited for.
   *
   * Raises StorageFull, and then nothing of it was kept.
   */
  async keep(capture: Omit<Capture, 'person_id'>): Promise<void> {
    const field = this.#running();
    const { event_id } = await field.sync.capture({ ...capture, person_id: this.person_id });
    const made = Object.entries(changesOf(capture, event_id));
    const changes = new Map([...this.work.changes, ...made]);
    this.work = { ...this.work, changes };
    // What else there is to see comes a moment later; nobody waits for it with a customer before them.
    const send = (): Promise<void> => field.fire('commit');
    // What the screens cannot show is sent all the same.
    void this.look().then(send, send);
  }

  /** Take back what was captured last; false when it is too late. */
  async undo({ event_id }: Undoable): Promise<boolean> {
    const taken = await this.#undo().take(event_id);
    await this.look();
    return taken;
  }

  /** Send once more what only this phone has, or put away what the office has refused. */
  async settle({ event_id, receipt }: Quarantined): Promise<void> {
    const { sync, fire } = this.#running();
    await (receipt === null ? sync.release(event_id) : sync.dismiss(event_id));
    await this.look();
    if (receipt === null) void fire('button');
  }

  /** Send and ask for news now, because somebody wants to see it. */
  async sync(): Promise<void> {
    this.sending = true;
    try {
      await this.#running().fire('button');
    } finally {
      this.sending = false;
    }
  }

  /** Tell or ask the server something that is no capture; null when no answer came. */
  ask(
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: unknown } | null> {
    return this.#running().sync.ask(method, path, body);
  }

  /** Have this person told of new work while the app is closed; false where that is not allowed. */
  subscribe(): Promise<boolean> {
    return this.#running().subscribe();
  }

  /** Return the times that a capture of this moment would carry. */
  stamp(): ReturnType<Sync['stamp']> {
    return this.#running().sync.stamp();
  }

  /** Read anew what the screens show; one look follows another, so that none shows what was before. */
  look(): Promise<void> {
    this.#looking = this.#looking.catch(() => undefined).then(() => this.#look());
    return this.#looking;
  }

  /** Free the room of what was begun on jobs that were taken away. */
  async #sweep(): Promise<void> {
    const { documents, pulled_ms } = this.work;
    if (this.#person === null || pulled_ms === null) return;
    await this.drafts.sweep(this.#person, (draft) => isLeftOver(draft, documents, pulled_ms));
  }

  async #look(): Promise<void> {
    await this.#stand();
    const [person, field] = [this.#person, this.#running()];
    if (person === null) return;
    let drafts: Draft[];
    [this.room, this.work, this.undoable, this.status, this.lanes, this.quarantine, drafts] =
      await Promise.all([
        browserGauge(),
        field.sync.work(person),
        this.#undo().pending(person),
        field.sync.status(person),
        field.sync.onItsWay(person),
        field.sync.quarantine(person),
        this.drafts.all(person),
      ]);
    this.open = drafts.filter(isOpen).map(({ key }) => key);
    if (this.me?.person_id !== person) this.me = known(person);
    if (this.me === null && this.session === 'signed_in') void this.#ask(person);
  }

  async #in(pin: string): Promise<void> {
    // A browser asks nobody, or says no: then it may delete what it stores when room is short.
    await navigator.storage?.persist?.();
    await this.#stand();
    if (this.#person === null) return;
    await this.#lock().set(this.#person, pin);
    this.work = NO_WORK;
    this.stage = 'open';
    // A phone that tells of new work already does so for whoever works with it from now on.
    void this.subscribe();
    await this.sync();
  }

  async #stand(): Promise<void> {
    const standing = await this.#running().sessions.standing();
    this.#person = standing?.person_id ?? null;
    this.session = standing?.state ?? null;
    const others = await this.#running().sessions.others();
    this.others = others.map(known).filter((one) => one !== null);
    if (this.session !== 'signed_out') return;
    localStorage.removeItem(ME + (this.#person ?? ''));
    // Photos that somebody's visits were to show (`flow/claim-photos.ts`); no browser without HTTPS has any.
    void globalThis.caches?.delete(KEPT_PHOTOS);
    this.work = NO_WORK;
    if (this.stage === 'open') this.stage = 'welcome';
  }

  async #ask(person_id: string): Promise<void> {
    const answer = await this.#running().sync.ask('GET', '/api/me');
    const { name, role } = (answer?.body ?? {}) as Partial<Me>;
    if (answer?.status !== 200 || typeof name !== 'string' || typeof role !== 'string') return;
    this.me = { person_id, name, role };
    localStorage.setItem(ME + person_id, JSON.stringify(this.me));
  }

  #lockIfLeft(): void {
    if (document.visibilityState === 'hidden') {
      this.#left_at = Date.now();
      return;
    }
    const away = Date.now() - (this.#left_at ?? Date.now());
    // A clock that was set back counts as a long time.
    if (this.stage === 'open' && (away < 0 || away > LOCKS_AFTER_MS)) this.stage = 'locked';
  }

  #running(): Running {
    if (this.#field === null) throw new Error('The phone is not started.');
    return this.#field;
  }

  #undo(): Undo {
    return new Undo({ now: Date.now, mono: performance.now }, this.#running().sync.database);
  }

  #lock(): PinLock {
    if (this.#pins === null) throw new Error('The phone is not started.');
    return this.#pins;
  }
}

function isOpen({ value }: Draft): boolean {
  return (value as { open?: boolean } | null)?.open === true;
}

/** Take the code out of the address, so that it is neither seen nor kept there. */
function takeCode(): string | null {
  const [, code = null] = OF_A_LINK.exec(location.hash) ?? [];
  if (code !== null) history.replaceState(history.state, '', location.pathname);
  return code;
}

/** Name the phone for the office; it is known by its key, not by this. */
function label(): string {
  const [, inside = ''] = /\(([^)]*)\)/.exec(navigator.userAgent) ?? [];
  const parts = inside.split(';').map((part) => part.trim());
  return (parts.at(-1) || 'phone').slice(0, 60);
}

function known(person_id: string): Me | null {
  try {
    return JSON.parse(localStorage.getItem(ME + person_id) ?? 'null') as Me | null;
  } catch {
    return null;
  }
}

export const phone = new Phone();
