/**
 * Records where a phone is, only while its person is at work and the page is before their eyes.
 *
 * A browser gives no place in the background, so none is claimed. Whatever fails here is given up: a
 * place that is lost is no loss, and no capture ever waits for one.
 */

import { isWorth, bucket, type Seen } from './sieve';
import type { Fix, Ring } from './ring';

export const BATCH = 200;

/** A place that is kept is told at once where the last was told so long ago. */
export const TELL_EVERY_MS = 2 * 60_000;

/** How a person is told of it. `denied` stands until the app is opened anew: nobody is asked twice. */
export type Recording = 'on' | 'denied' | 'off';

/** A place as the browser tells it. */
export interface Position {
  coords: { latitude: number; longitude: number; accuracy: number; speed: number | null };
}

/** The part of a browser's geolocation that is needed. */
export interface Locator {
  watchPosition(
    see: (position: Position) => void,
    fail: (failure: { code: number }) => void,
    options: { enableHighAccuracy: boolean; maximumAge: number; timeout: number },
  ): number;
  clearWatch(id: number): void;
}

export interface RecorderPorts {
  geolocation: Locator;
  mono: () => number;
  /** The times that a capture of this moment would carry. */
  stamp: () => Pick<Fix, 'captured_at' | 'mono_ms' | 'server_at' | 'server_mono_ms'>;
  id: () => string;
  ring: Pick<Ring, 'add' | 'oldest' | 'forget'>;
  /** Ask the server; null when no answer came. */
  tell: (fixes: Fix[]) => Promise<{ status: number } | null>;
  /** Between 0 and 1; null where the browser does not say. */
  battery: () => number | null;
  saves_data: () => boolean;
  show: (recording: Recording, here: Seen | null) => void;
}

const DENIED = 1;

export class Recorder {
  #person: string | null = null;
  #watch: { id: number; sparing: boolean } | null = null;
  #last: Seen | null = null;
  #denied = false;
  #told_at: number | null = null;
  #telling: Promise<void> | null = null;

  constructor(private readonly ports: RecorderPorts) {}

  /** Record the place of this person from now on; null: of nobody. */
  follow(person_id: string | null): void {
    if (person_id === this.#person) return;
    this.#person = person_id;
    this.#last = null;
    this.#stop();
    this.#start();
  }

  /** Look anew whether battery or data are short: then the place is asked for less exactly. */
  adapt(): void {
    if (this.#watch === null || this.#watch.sparing === this.#sparing()) return;
    this.#stop();
    this.#start();
  }

  /** Tell the server what is kept, oldest first; one at a time, and never twice what it has answered. */
  tell(person_id: string): Promise<void> {
    this.#telling ??= this.#tell(person_id).finally(() => (this.#telling = null));
    return this.#telling;
  }

  #start(): void {
    if (this.#person === null || this.#denied) {
      this.ports.show(this.#denied ? 'denied' : 'off', null);
      return;
    }
    const sparing = this.#sparing();
    const id = this.ports.geolocation.watchPosition(
      (position) => void this.#see(position.coords),
      ({ code }) => {
        if (code !== DENIED) return;
        this.#denied = true;
        this.#stop();
        this.ports.show('denied', null);
      },
      { enableHighAccuracy: !sparing, maximumAge: sparing ? 240_000 : 10_000, timeout: 60_000 },
    );
    this.#watch = { id, sparing };
  }

  #stop(): void {
    if (this.#watch !== null) this.ports.geolocation.clearWatch(this.#watch.id);
    this.#watch = null;
  }

  async #see(found: Position['coords']): Promise<void> {
    const person = this.#person;
    if (person === null) return;
    const seen: Seen = {
      lat: found.latitude,
      lng: found.longitude,
      accuracy_m: Math.min(found.accuracy, 100_000),
      speed_mps: found.speed === null || !(found.speed >= 0) ? null : Math.min(found.speed, 400),
      mono_ms: this.ports.mono(),
    };
    this.ports.show('on', seen);
    if (!isWorth(seen, this.#last, this.#sparing())) return;
    this.#last = seen;
    const { lat, lng, accuracy_m, speed_mps } = seen;
    const battery = bucket(this.ports.battery());
    const fix = { id: this.ports.id(), ...this.ports.stamp() };
    try {
      await this.ports.ring.add(person, { ...fix, lat, lng, accuracy_m, speed_mps, battery });
    } catch {
      return; // The phone is full: its room belongs to captures.
    }
    const told_at = this.#told_at;
    if (told_at === null || seen.mono_ms - told_at >= TELL_EVERY_MS) void this.tell(person);
  }

  async #tell(person_id: string): Promise<void> {
    try {
      for (;;) {
        const { keys, fixes } = await this.ports.ring.oldest(person_id, BATCH);
        if (fixes.length === 0) return;
        this.#told_at = this.ports.mono();
        const answer = await this.ports.tell(fixes);
        // It keeps what it can read of a batch; these say that nothing of it is a place.
        if (answer === null || ![200, 400, 422].includes(answer.status)) return;
        await this.ports.ring.forget(keys);
        if (fixes.length < BATCH) return;
      }
    } catch {
      return; // The storage failed: they are told with the next, or never.
    }
  }

  #sparing(): boolean {
    return bucket(this.ports.battery()) === 'low' || this.ports.saves_data();
  }
}
