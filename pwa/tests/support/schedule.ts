/**
 * One drawn day of a phone: captures, runs, deaths, jumps of the clock, full storage, other people.
 *
 * It ends with a good network, and then every capture that was kept must be exactly once where it
 * belongs. What was refused or cut off by a death may be nowhere, but never twice.
 */

import { isDeepStrictEqual } from 'node:util';

import { StorageFull } from '../../src/shared/sync/database';
import type { Picture } from '../../src/shared/sync/outbox';
import { BadNetwork } from './bad-network';
import { Device, plainNetwork } from './device';
import type { Life } from './life';
import { Random } from './random';
import type { StoredDocument } from '../../src/shared/sync/schema';
import type { Sync } from '../../src/shared/sync/sync';
import type { WireDocument } from '../../src/shared/sync/wire';

const PEOPLE = ['amal', 'binu'] as const;
const TWO_DAYS = 2 * 24 * 60 * 60_000;
const LAST_ROUNDS = 60;

interface Kept {
  person: string;
  lane: string;
  name: string;
  event_id: string;
  pictures: number;
}

export interface Outcome {
  seed: number;
  wrongs: string[];
  kept: number;
  deaths: number;
  losses: number;
  faults: number;
}

class Day {
  readonly #random: Random;
  readonly #device: Device;
  readonly #network: BadNetwork;
  readonly #kept: Kept[] = [];
  readonly #refused = new Set<string>();
  #reader: { sync: Sync; life: Life };
  readonly #wrongs: string[] = [];
  #page: { sync: Sync; life: Life };
  #deaths = 0;
  #losses = 0;
  #captures = 0;

  constructor(private readonly seed: number) {
    this.#random = new Random(seed);
    this.#device = new Device(this.#random);
    this.#network = new BadNetwork(
      this.#device.way,
      this.#random,
      this.#random.pick([0.1, 0.3, 0.6]),
    );
    this.#device.network = this.#network.carry;
    this.#device.signIn(PEOPLE[0]);
    this.#page = this.#boot();
    this.#reader = this.#device.boot();
  }

  async play(): Promise<Outcome> {
    for (let left = this.#random.between(10, 25); left > 0; left -= 1) {
      await this.#act();
      await this.#reviveIfDead();
      await this.#lookAtWork();
    }
    const wrongs = [...(await this.#drain()), ...this.#wrongs, ...this.#device.server.wrongs];
    const faults = [...this.#network.faults.values()].reduce((sum, count) => sum + count, 0);
    const [kept, deaths, losses] = [this.#kept.length, this.#deaths, this.#losses];
    return { seed: this.seed, wrongs, kept, deaths, losses, faults };
  }

  async #act(): Promise<void> {
    const device = this.#device;
    const random = this.#random;
    const act = random.between(1, 12);
    if (act <= 5) await Promise.all([this.#capture(this.#page.sync), this.#perhapsRun()]);
    else if (act <= 8) await this.#run(this.#page.sync);
    else if (act === 9) await this.#secondPage();
    else if (act === 10) device.skew = random.between(-TWO_DAYS, TWO_DAYS);
    else if (act === 11) device.signIn(random.pick(PEOPLE));
    else this.#weather();
    for (let edits = random.between(0, 3); edits > 0; edits -= 1) this.#edit();
    device.elapsed += random.between(0, 120_000);
  }

  /** Room and session come and go. */
  #weather(): void {
    const full = this.#random.chance(0.5);
    this.#device.writeFault = () => (full && this.#random.chance(0.4) ? noRoom() : null);
    this.#device.canRenew = this.#random.chance(0.6);
    if (this.#random.chance(0.3)) this.#device.session = null;
  }

  /** What the phone holds is, at any time, whole: what the server has once had for this person. */
  async #lookAtWork(): Promise<void> {
    for (const person of PEOPLE) {
      // A phone whose files were lost shows nothing before there is room for a few words.
      const { documents } = await this.#reader.sync.work(person).catch(nothingWithoutRoom);
      const known = [...this.#device.server.handedOut.values()].map((one) => [...one.values()]);
      if (![[], ...known].some((one) => sameWork(documents, person, one))) {
        this.#wrongs.push(`${person}: work that the server never had`);
      }
    }
  }

  /** A desk changes what somebody has to do; now and then the server forgets its cursors. */
  #edit(): void {
    const { server } = this.#device;
    const person = this.#random.pick(PEOPLE);
    const body = this.#random.chance(0.7) ? { person, note: this.#random.bits() } : null;
    server.edit(
      person,
      this.#random.pick(['stop', 'visit']),
      `${this.#random.between(1, 4)}`,
      body,
    );
    if (this.#random.chance(0.1))
      for (const one of server.handedOut.keys()) server.forgotten.add(one);
  }

  /** Two pages capture and sync at once; the other one dies with its turn. */
  async #secondPage(): Promise<void> {
    const other = this.#device.boot(this.#killAt());
    const work = [this.#capture(other.sync), this.#run(other.sync), this.#run(this.#page.sync)];
    await Promise.all([...work, this.#capture(this.#page.sync)]);
    if (!other.life.dead) other.life.kill();
    this.#deaths += 1;
  }

  async #perhapsRun(): Promise<void> {
    if (this.#random.chance(0.5)) await this.#run(this.#page.sync);
  }

  async #run(sync: Sync): Promise<void> {
    try {
      await sync.run({ eager: this.#random.chance(0.3) });
    } catch {
      // A death or a full storage: what counts is what is found afterwards.
    }
  }

  async #capture(sync: Sync): Promise<void> {
    this.#captures += 1;
    const name = `capture-${this.#captures}`;
    const person = this.#random.pick(PEOPLE);
    const lane = `${person}:stop-${this.#random.between(1, 3)}`;
    const pictures = this.#pictures();
    const payload = { capture: name, person, ...this.#fate() };
    const changes = { [lane]: name, [name]: 'kept' };
    const type = 'pod.record';
    try {
      const request = { person_id: person, type, schema: 1, lane, payload, changes, pictures };
      const { event_id } = await sync.capture(request);
      this.#kept.push({ person, lane, name, event_id, pictures: pictures.length });
    } catch (failure) {
      if (failure instanceof StorageFull) this.#refused.add(name);
    }
  }

  #fate(): Record<string, string | boolean> {
    const drawn = this.#random.between(1, 20);
    if (drawn === 1) return { breaks: true };
    if (drawn === 2) return { unreadable: true };
    if (drawn <= 4) return { verdict: 'rejected' };
    return { verdict: this.#random.pick(['applied', 'applied', 'held', 'review', 'duplicate']) };
  }

  #pictures(): Picture[] {
    if (!this.#random.chance(0.3)) return [];
    const jpeg = (kind: Picture['kind'], length: number): Picture => {
      return { kind, mime: 'image/jpeg', bytes: this.#random.bytes(length) };
    };
    return [jpeg('photo', this.#random.between(33_000, 40_000)), jpeg('preview', 2_000)];
  }

  #boot(): { sync: Sync; life: Life } {
    return this.#device.boot(this.#killAt());
  }

  #killAt(): number | null {
    return this.#random.chance(0.7) ? this.#random.between(1, 250) : null;
  }

  async #reviveIfDead(): Promise<void> {
    if (!this.#page.life.dead) return;
    this.#deaths += 1;
    await this.#perhapsLoseStorage();
    this.#page = this.#boot();
  }

  /** Now and then the browser finds its files damaged where it was killed, and begins with none. */
  async #perhapsLoseStorage(): Promise<void> {
    if (!this.#random.chance(0.3)) return;
    // The browser is killed with all its pages.
    this.#reader.life.kill();
    if (await this.#device.mayLoseStorage()) {
      this.#losses += 1;
      this.#device.loseStorage();
    }
    this.#reader = this.#device.boot();
  }

  /** Bring everything to its end on a good network, for each person, and judge what is found. */
  async #drain(): Promise<string[]> {
    const device = this.#device;
    await this.#network.deliverLate();
    Object.assign(device, { network: plainNetwork, writeFault: () => null, canRenew: true });
    this.#page.life.kill();
    const { sync } = device.boot();
    for (const person of PEOPLE) {
      device.signIn(person);
      for (let round = 0; round < LAST_ROUNDS; round += 1) {
        const wait = await sync.run({ eager: true });
        if (wait === null) break;
        device.elapsed += Math.max(wait, 1_000);
      }
    }
    const found = await Promise.all(PEOPLE.map((person) => this.#judge(sync, person)));
    return [...found.flat(), ...(await this.#judgeNumbers(sync))];
  }

  async #judge(sync: Sync, person: string): Promise<string[]> {
    const wrongs: string[] = [];
    const { server } = this.#device;
    const quarantine = new Map(
      (await sync.quarantine(person)).map((row) => [row.event_id, row.receipt]),
    );
    const state = await sync.state(person);
    const work = await sync.work(person);
    const status = await sync.status(person);
    const mine = this.#kept.filter((kept) => kept.person === person);
    for (const { event_id, name } of mine) {
      const receipt = server.events.get(event_id)?.receipt;
      const away = receipt !== undefined && receipt.verdict !== 'rejected';
      if (away === quarantine.has(event_id)) wrongs.push(`${name}: at two places or at none`);
      const shown = quarantine.get(event_id) ?? undefined;
      if (!away && !isDeepStrictEqual(shown, receipt)) wrongs.push(`${name}: another receipt`);
      if (state.get(name) !== 'kept') wrongs.push(`${name}: its state was not kept`);
    }
    const wanted = [...(server.work.get(person) ?? new Map<string, WireDocument>()).values()];
    if (!sameWork(work.documents, person, wanted)) {
      wrongs.push(`${person}: other work than the server has`);
    }
    // One that its page did not live to speak of may be among them.
    const only_here = (await sync.quarantine(person)).filter((row) => row.receipt === null);
    const known = only_here.flatMap((row) => [row.lane, row.event.payload['capture']]);
    for (const key of work.changes.keys()) {
      if (!known.includes(key)) wrongs.push(`${key}: shown over documents that know of it`);
    }
    for (const name of this.#refused) {
      if (state.has(name)) wrongs.push(`${name}: refused, but its state was kept`);
    }
    if (status.waiting.count + status.sending.count > 0) wrongs.push(`${person}: something waits`);
    if (status.pictures_waiting.count > 0) wrongs.push(`${person}: a picture waits`);
    const pictures = mine.reduce((sum, kept) => sum + kept.pictures, 0);
    const uploads = [...server.uploads].filter(([key]) => key.startsWith(`${person}/`));
    if (uploads.some(([, upload]) => !upload.complete)) wrongs.push('a picture is cut off');
    if (uploads.length < pictures) wrongs.push(`${person}: ${uploads.length} of ${pictures}`);
    return wrongs;
  }

  /** The numbers of the device have no gap, and nothing that was refused has been sent. */
  async #judgeNumbers(sync: Sync): Promise<string[]> {
    const rows = await Promise.all(PEOPLE.map((person) => sync.quarantine(person)));
    const sent = [...this.#device.server.events.values()].map((stored) => stored.event);
    const events = new Map(
      [...sent, ...rows.flat().map((row) => row.event)].map((event) => [event.event_id, event]),
    );
    const numbers = [...events.values()].map((event) => event.device_seq);
    const inOrder = numbers.toSorted((left, right) => left - right);
    const wrongs = inOrder.some((number, index) => number !== index + 1)
      ? [`numbers ${inOrder.join(' ')}`]
      : [];
    for (const event of events.values()) {
      if (this.#refused.has(String(event.payload['capture']))) wrongs.push('sent though refused');
    }
    return wrongs;
  }
}

function sameWork(held: StoredDocument[], person: string, wanted: WireDocument[]): boolean {
  const mine = wanted.map((document) => ({ ...document, person_id: person }));
  return isDeepStrictEqual(byName(held), byName(mine));
}

function byName<T extends { kind: string; id: string }>(documents: T[]): T[] {
  return documents.toSorted((left, right) =>
    `${left.kind}/${left.id}` < `${right.kind}/${right.id}` ? -1 : 1,
  );
}

function nothingWithoutRoom(failure: unknown): { documents: StoredDocument[] } {
  if (failure instanceof StorageFull) return { documents: [] };
  throw failure;
}

function noRoom(): DOMException {
  return new DOMException('No room.', 'QuotaExceededError');
}

/** Play the day of this seed. */
export function playSchedule(seed: number): Promise<Outcome> {
  return new Day(seed).play();
}
