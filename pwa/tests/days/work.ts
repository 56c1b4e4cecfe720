/** What a person of a role captures in a day: 12 jobs, 40 events, 24 pictures, most of them real. */

import { createHash, randomUUID } from 'node:crypto';

import type { Capture, Picture } from '../../src/shared/sync/outbox';
import type { Json } from '../../src/shared/sync/wire';
import type { Random } from '../support/random';
import type { Turn } from './travels';

export const JOBS = 12;
export const EVENTS = 40;
export const PICTURES = 24;

/** A person with a phone, as the plan names them. */
export interface Worker {
  person_id: string;
  role: string;
  code: string;
  /** What this role looks at before the shift ends. */
  checklist: string[];
  /** Shifts that a desk has planned for this person to lead, each for one day. */
  shifts: string[];
  /** Goods without serials that lie where this person works. */
  skus: string[];
}

/** A capture that is to be made, and the rows that it makes where it counts; null is its own id. */
export interface Task {
  capture: Omit<Capture, 'changes'>;
  effects: (string | null)[];
  pictures: string[];
  /** Hears whether the capture was kept, once that is certain. */
  end?: (kept: boolean) => void;
}

type Drawn = Pick<Capture, 'type' | 'payload'> & {
  schema?: number;
  lane?: string;
  effects?: string[];
};

export class WorkDay {
  readonly #withPicture: Set<number>;
  readonly #shift: string | undefined;

  constructor(
    private readonly worker: Worker,
    private readonly random: Random,
    private readonly jpeg: Buffer,
    private readonly name: string,
  ) {
    this.#shift = worker.shifts.shift();
    const numbers = random.shuffled(Array.from({ length: EVENTS }, (_, index) => index));
    this.#withPicture = new Set(numbers.slice(0, PICTURES));
  }

  /** Draw the n-th event of the day, counted from 0. */
  task(n: number): Task {
    const picture = this.#withPicture.has(n) ? this.#picture(n) : null;
    const { type, schema, payload, effects, lane } = this.#event(n, picture?.sha256);
    const capture = {
      person_id: this.worker.person_id,
      type,
      schema: schema ?? 1,
      lane: `${this.name}:${lane ?? this.random.between(1, JOBS)}`,
      payload,
      pictures: picture === null ? [] : [picture.picture],
    };
    const task = { capture, effects: effects ?? [null] };
    return { ...task, pictures: picture === null ? [] : [picture.sha256] };
  }

  /** What the way of an order asks for now. */
  leg(n: number, { leg, lane, end }: Turn): Task {
    const { person_id, type, schema, payload, effects, slots } = leg;
    const taken = slots.map((slot) => ({ slot, ...this.#picture(n) }));
    const photos = taken.map(({ slot, sha256 }) => ({ slot, sha256 }));
    return {
      capture: {
        person_id,
        type,
        schema,
        lane,
        payload: photos.length === 0 ? payload : { ...payload, photos },
        pictures: taken.map(({ picture }) => picture),
      },
      effects,
      pictures: taken.map(({ sha256 }) => sha256),
      end,
    };
  }

  #event(n: number, photo: string | undefined): Drawn {
    const shift = this.#shift;
    if (shift !== undefined && (n === 0 || n === EVENTS - 1)) {
      const type = n === 0 ? 'shift.open' : 'shift.close';
      return { type, payload: { shift_id: shift }, lane: 'shift' };
    }
    if (this.random.chance(0.1)) return this.#strange();
    if (this.random.chance(0.1)) return this.#late();
    if (this.worker.role === 'warehouse' && this.random.chance(0.8))
      return this.#onTheFloor(n, photo);
    if (this.worker.role === 'technician' && this.random.chance(0.2)) return this.#late();
    const scans = this.worker.role !== 'technician' && this.random.chance(0.7);
    return scans ? this.#scans() : this.#checklist();
  }

  #onTheFloor(n: number, photo: string | undefined): Drawn {
    if (this.random.chance(0.25)) {
      const quantity = this.random.pick([1, 1, 2, 40]);
      const words = `Found behind shelf ${n}.`;
      const payload = { sku: this.random.pick(this.worker.skus), quantity, reason: 'found', words };
      return { type: 'stock.propose', payload: withPhoto(payload, photo) };
    }
    const payload = { code: `${this.name}-${n}`, words: 'Nobody has ordered it.' };
    return { type: 'goods.unannounced', payload: withPhoto(payload, photo) };
  }

  #checklist(): Drawn {
    const answers = this.worker.checklist.map((code) => ({ code, ok: this.random.chance(0.9) }));
    return { type: 'checklist.answer', payload: { answers } };
  }

  /** Labels that nobody has printed: they are kept as seen. */
  #scans(): Drawn {
    const effects = Array.from({ length: this.random.between(1, 3) }, () => randomUUID());
    const captured_at = new Date().toISOString();
    const kind = this.worker.role === 'warehouse' ? 'hub_in' : 'load';
    const scans = effects.map((scan_uid) => ({ scan_uid, label_no: 'none', kind, captured_at }));
    return { type: 'scans.add', payload: { scans }, effects };
  }

  /** What was right when it was done, but is nobody's any more. */
  #late(): Drawn {
    const gone = randomUUID();
    if (this.worker.role === 'warehouse') {
      return { type: 'pick.start', payload: { fulfilment_id: gone } };
    }
    if (this.worker.role === 'delivery') {
      return { type: 'delivery.failed', payload: { stop_id: gone, reason: 'not_home' } };
    }
    return { type: 'visit.finding', payload: { visit_id: gone, kind: 'hidden_damage' } };
  }

  /** What another version of the app, another role or a fault of ours would make. */
  #strange(): Drawn {
    const words = 'Found by another version.';
    const found = { type: 'visit.finding', payload: { words } };
    if (this.random.chance(0.1)) return { ...found, schema: 9_999 };
    return this.random.pick<Drawn>([
      { ...found, schema: 0 },
      { type: 'visit.hologram', payload: { words: 'A type of the next version.' } },
      { type: 'goods.unannounced', payload: { code: 7 } },
      { type: 'receipt.finish', payload: { arrival_id: 'none' } },
      { type: 'visit.complete', payload: {} },
    ]);
  }

  #picture(n: number): { sha256: string; picture: Picture } {
    const words = Buffer.from(`${this.name}:${n}:${randomUUID()}`);
    // After the start of the image a comment (FF FE): each file is another one.
    const comment = Buffer.from([0xff, 0xfe, 0, words.length + 2]);
    const file = Buffer.concat([this.jpeg.subarray(0, 2), comment, words, this.jpeg.subarray(2)]);
    const sha256 = createHash('sha256').update(file).digest('hex');
    const kind = this.random.pick(['preview', 'photo'] as const);
    return { sha256, picture: { kind, mime: 'image/jpeg', bytes: Uint8Array.from(file).buffer } };
  }
}

function withPhoto(payload: { [name: string]: Json }, photo?: string): { [name: string]: Json } {
  return photo === undefined ? payload : { ...payload, photo_sha256: photo };
}
