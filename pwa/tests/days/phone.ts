/**
 * A phone that works many days against the real API: it dies, its line is bad, its clock jumps, its
 * disk is full, its session ends and its app changes. What it captured is told by a list that lies
 * outside of it.
 */

import { setTimeout as rest } from 'node:timers/promises';

import { StorageFull } from '../../src/shared/sync/database';
import type { Entry, Media, Quarantined } from '../../src/shared/sync/schema';
import type { Sync } from '../../src/shared/sync/sync';
import { MAX_EVENTS, readAnswer, type Receipt } from '../../src/shared/sync/wire';
import { BadNetwork } from '../support/bad-network';
import { Device, EPOCH } from '../support/device';
import { Random } from '../support/random';
import { boot, type Page } from './boot';
import { RealWay } from './real-way';
import type { Travels } from './travels';
import { EVENTS, WorkDay, type Task, type Worker } from './work';

const PIN = '246810';
const TWO_DAYS = 2 * 24 * 60 * 60_000;
const A_WEEK_LATER = 8 * 24 * 60 * 60_000;
/** Real time: so long may a good line take to bring everything to its end. */
const PATIENCE_MS = 600_000;

/** What was captured, and how it stands on the phone and by the receipts of the API. */
export interface Told {
  person_id: string;
  event_id: string;
  type: string;
  effects: string[];
  pictures: string[];
  verdict: string | null;
  quarantined: boolean;
}

export interface Left {
  entries: Entry[];
  media: Media[];
  quarantine: Quarantined[];
}

/** A capture of which nobody heard whether it was kept. */
interface Doubt {
  task: Task;
  name: string;
}

export class Phone {
  readonly counts = {
    captures: 0,
    legs: 0,
    no_room: 0,
    undone: 0,
    deaths: 0,
    storages_lost: 0,
    two_pages: 0,
    jumps: 0,
    versions: 0,
    sign_ins: 0,
  };
  readonly way: RealWay;
  readonly network: BadNetwork;
  readonly #random: Random;
  readonly #device: Device;
  readonly #inDoubt: Doubt[] = [];
  #told: Told[] = [];
  #page: Page;
  #bad = false;
  #version = 1;

  constructor(
    seed: number,
    private readonly worker: Worker,
    private readonly name: string,
    base_url: string,
  ) {
    this.#random = new Random(seed);
    this.#device = new Device(this.#random);
    this.way = new RealWay(base_url, (ms) => void (this.#device.elapsed += ms));
    this.network = new BadNetwork(this.way, this.#random, this.#random.pick([0.1, 0.3, 0.5]));
    this.#device.network = (request) =>
      this.#bad ? this.network.carry(request, this.#device.server) : this.way.deliver(request);
    this.#jump(0);
    this.#page = this.#boot(null);
  }

  async enrol(): Promise<void> {
    for (;;) {
      const end = await this.#page.keeper.enrol(this.worker.code, this.name, PIN);
      if (end === 'ok') return;
      if (end !== 'busy') throw new Error(`${this.name} was not enrolled: ${end}`);
      await rest(1_000);
    }
  }

  /** Work a day on a bad line; much of it may still wait on the phone in the evening. */
  async work(day: number, jpeg: Buffer, travels: Travels): Promise<void> {
    const random = this.#random;
    const plan = new WorkDay(this.worker, random, jpeg, `${this.name}-${day}`);
    this.#bad = true;
    this.#device.writeFault = () => null;
    let inTheCellar = false;
    for (let n = 0; n < EVENTS; n += 1) {
      const mine = random.chance(0.5);
      const turn = mine ? travels.take(this.worker.person_id, this.name, day) : null;
      if (turn !== null) this.counts.legs += 1;
      const task = turn === null ? plan.task(n) : plan.leg(n, turn);
      const capture = this.#capture(task, `${day}:${n}`);
      // Whoever goes on with what another has begun is often the first to have a signal.
      if (turn?.leg.elsewhere === false && random.chance(0.5)) inTheCellar = true;
      const signal = !inTheCellar && random.chance(turn?.leg.elsewhere === true ? 0.6 : 0.15);
      await Promise.all([capture, signal ? this.#run(this.#page.sync) : null]);
      await this.#misfortune();
      await this.#reviveIfDead();
      this.#device.elapsed += random.between(0, 300_000);
    }
    await this.#run(this.#page.sync);
    await this.#reviveIfDead();
  }

  /** Bring everything to its end on a good line; tell what was captured since the last time. */
  async drain(): Promise<{ told: Told[]; left: Left }> {
    this.#bad = false;
    this.#device.writeFault = () => null;
    this.#page.life.kill();
    this.#page = this.#boot(null);
    await this.network.deliverLate();
    await this.#clearDoubts();
    const end = Date.now() + PATIENCE_MS;
    for (let wait: number | null = 0; wait !== null && Date.now() < end;) {
      await this.#signInAgain();
      // Refused for a moment (a limit that cannot be counted): the person tries again.
      if ((await this.#page.keeper.current()) === null) continue;
      wait = await this.#page.sync.run({ eager: true });
      this.#device.elapsed += Math.max(wait ?? 0, 1_000);
      if (wait !== null) await rest(50);
    }
    await this.way.settled();
    const left = await this.#left();
    const told = await this.#withReceipts(this.#told, left);
    this.#told = [];
    // What a person was shown and has dealt with lies on no phone for years.
    for (const { event_id } of left.quarantine) await this.#page.sync.dismiss(event_id);
    // A week with nothing to do: what is kept that long is forgotten.
    this.#device.skew += A_WEEK_LATER;
    await this.#page.sync.run({ eager: true });
    this.#jump(0);
    return { told, left };
  }

  #boot(killAt: number | null): Page {
    const device = this.#device;
    const born = device.elapsed;
    return boot(device, killAt, {
      // A pause passes at once, and the time with it; a timeout never comes.
      after: (ms, callback) => {
        if (ms < 5_000) {
          device.elapsed += ms;
          queueMicrotask(callback);
        }
        return () => undefined;
      },
      clock: {
        now: () => EPOCH + device.elapsed + device.skew,
        mono: () => device.elapsed - born,
      },
      app_version: `1.${this.#version}.0`,
    });
  }

  /** Set the clock so far from the server's. */
  #jump(by: number): void {
    this.#device.skew = Date.now() - EPOCH - this.#device.elapsed + by;
  }

  async #misfortune(): Promise<void> {
    const random = this.#random;
    const drawn = random.between(1, 100);
    // Somebody makes room soon.
    if (random.chance(0.3)) this.#device.writeFault = () => null;
    if (drawn <= 4) {
      this.#jump(random.between(-TWO_DAYS, TWO_DAYS));
      this.counts.jumps += 1;
    } else if (drawn <= 8) {
      this.#device.writeFault = () => (random.chance(0.3) ? noRoom() : null);
    } else if (drawn <= 11) await this.#secondPage();
    else if (drawn === 12) {
      this.#version += 1;
      this.counts.versions += 1;
      this.#page.life.kill();
    } else if (drawn === 13 && random.chance(0.3)) await this.#endSession();
  }

  /** Two pages sync at once; the other one dies with its turn. */
  async #secondPage(): Promise<void> {
    const other = this.#boot(this.#killAt());
    await Promise.all([this.#run(other.sync), this.#run(this.#page.sync)]);
    if (!other.life.dead) other.life.kill();
    this.counts.deaths += 1;
    this.counts.two_pages += 1;
  }

  /** The server ends the session, and the phone is to find out. */
  async #endSession(): Promise<void> {
    const session = await this.#boot(null).keeper.current();
    if (session === null) return;
    const headers = { Authorization: `Bearer ${session.token}` };
    const url = '/api/session/sign-out';
    await this.way.deliver({ method: 'POST', url, headers, body: null });
  }

  async #signInAgain(): Promise<void> {
    if ((await this.#page.keeper.current()) !== null) return;
    if ((await this.#page.keeper.signIn(this.worker.person_id, PIN)) === 'ok') {
      this.counts.sign_ins += 1;
    } else await rest(1_000);
  }

  async #run(sync: Sync): Promise<void> {
    try {
      await sync.run({ eager: this.#random.chance(0.3) });
    } catch {
      // A death or a full storage: what counts is what is found afterwards.
    }
  }

  /** The screen shows the last capture of each key, as it would of each job. */
  async #capture(task: Task, name: string): Promise<void> {
    this.counts.captures += 1;
    try {
      const changes = { [keyOf(name)]: name };
      const made = await this.#page.sync.capture({ ...task.capture, changes });
      this.#tell(made.event_id, task);
    } catch (failure) {
      if (!(failure instanceof StorageFull)) {
        this.#inDoubt.push({ task, name });
        return;
      }
      // The person is told at once, and the screen shows what it did before (IC8).
      const [half] = await this.#kept([{ task, name }]);
      if (half !== null) {
        throw new Error(`${this.name} shows ${name}, and had no room.`, { cause: failure });
      }
      this.counts.no_room += 1;
      task.end?.(false);
    }
  }

  #tell(event_id: string, { capture, effects, pictures, end }: Task): void {
    end?.(true);
    this.#told.push({
      person_id: capture.person_id,
      event_id,
      type: capture.type,
      effects: effects.map((effect) => effect ?? event_id),
      pictures,
      verdict: null,
      quarantined: false,
    });
  }

  async #reviveIfDead(): Promise<void> {
    if (!this.#page.life.dead) return;
    this.counts.deaths += 1;
    // The browser takes its files for damaged, and begins with none; their room is free then.
    if (this.#random.chance(0.5) && (await this.#device.hasWholeCopy())) {
      this.#device.loseStorage();
      this.#device.writeFault = () => null;
      this.counts.storages_lost += 1;
    }
    await this.#clearDoubts();
    this.#page = this.#boot(this.#killAt());
  }

  async #clearDoubts(): Promise<void> {
    const doubts = this.#inDoubt.splice(0);
    const kept = await this.#kept(doubts);
    for (const [n, { task }] of doubts.entries()) {
      const event_id = kept[n] ?? null;
      if (event_id !== null) this.#tell(event_id, task);
      else {
        this.counts.undone += 1;
        task.end?.(false);
      }
    }
  }

  /** Captures were kept if the state that they change was: tell their ids, null for what was not. */
  async #kept(doubts: Doubt[]): Promise<(string | null)[]> {
    if (doubts.length === 0) return [];
    // Who looks from outside needs no room, also where opening it brings a lost storage back.
    const { writeFault } = this.#device;
    this.#device.writeFault = () => null;
    const { sync, life } = this.#boot(null);
    const shown = await sync.database.read(['state'], (transaction) => {
      const state = transaction.objectStore('state');
      return Promise.all(
        doubts.map(({ task, name }) => state.get([task.capture.person_id, keyOf(name)])),
      );
    });
    this.#device.writeFault = writeFault;
    life.kill();
    return doubts.map(({ name }, n) => (shown[n]?.value === name ? shown[n].event_id : null));
  }

  #killAt(): number | null {
    return this.#random.chance(0.8) ? this.#random.between(1, 500) : null;
  }

  #left(): Promise<Left> {
    const stores = ['entry', 'media', 'quarantine'] as const;
    return this.#page.sync.database.read([...stores], async (transaction) => ({
      entries: await transaction.objectStore('entry').getAll(),
      media: (await transaction.objectStore('media').getAll()).filter(
        (media) => media.complete_at === 0,
      ),
      quarantine: await transaction.objectStore('quarantine').getAll(),
    }));
  }

  async #withReceipts(told: Told[], left: Left): Promise<Told[]> {
    const quarantined = new Set(left.quarantine.map((row) => row.event_id));
    const known: Told[] = [];
    for (let at = 0; at < told.length; at += MAX_EVENTS) {
      const some = told.slice(at, at + MAX_EVENTS);
      const receipts = await this.#receipts(some.map((one) => one.event_id));
      const verdicts = new Map(receipts.map((one) => [one.event_id, one.verdict]));
      for (const one of some) {
        const verdict = verdicts.get(one.event_id) ?? null;
        known.push({ ...one, verdict, quarantined: quarantined.has(one.event_id) });
      }
    }
    return known;
  }

  /** Ask the API itself, past everything that the phone remembers. */
  async #receipts(ids: string[]): Promise<Receipt[]> {
    const url = `/field/sync/receipts?ids=${ids.join(',')}`;
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const session = await this.#page.keeper.current();
      const headers = { Authorization: `Bearer ${session?.token}` };
      const answer = await this.way.deliver({ method: 'GET', url, headers, body: null });
      if (answer.status === 200) return readAnswer(answer.body)?.receipts ?? [];
      if (session !== null) await this.#page.keeper.renew(session.token);
      await this.#signInAgain();
    }
    throw new Error(`${this.name} was given no receipts.`);
  }
}

function keyOf(name: string): string {
  return name.split(':')[1] ?? name;
}

function noRoom(): DOMException {
  return new DOMException('No room.', 'QuotaExceededError');
}
