/**
 * Orders that travel: each of their captures needs the one before, made by another person or phone.
 *
 * Whoever stands before the goods sees that it is their turn, whether or not the server has heard of
 * what came before: so a capture may arrive there earlier than what it needs.
 */

import type { Json } from '../../src/shared/sync/wire';

/** One capture on the way of an order, as the plan says what is there to be captured. */
export interface Leg {
  person_id: string;
  type: string;
  schema: number;
  payload: { [name: string]: Json };
  /** Where a picture belongs, each of its own. */
  slots: string[];
  /** It is captured on another phone than the one before. */
  elsewhere: boolean;
  /** The rows that it makes where it counts; null is its own id. */
  effects: (string | null)[];
}

/** A leg in somebody's hands: it was kept, or it is to be done again. */
export interface Turn {
  leg: Leg;
  lane: string;
  end(kept: boolean): void;
}

interface Travel {
  name: string;
  /** On this day and not before its first leg is done. */
  from_day: number;
  legs: Leg[];
  taken: boolean;
  /** Where the last of it was captured. */
  phone: string | null;
}

export class Travels {
  readonly #under_way: Travel[];

  /** The orders set out one after the other, evenly over all days. */
  constructor(orders: Leg[][], days: number) {
    this.#under_way = orders.map((legs, n) => ({
      name: `travel-${n}`,
      from_day: 1 + Math.floor((n * days) / orders.length),
      legs: [...legs],
      taken: false,
      phone: null,
    }));
  }

  /** Give a person the first leg whose turn it is and that is theirs; null when there is none. */
  take(person_id: string, phone: string, day: number): Turn | null {
    for (const travel of this.#under_way) {
      const [leg] = travel.legs;
      if (leg?.person_id !== person_id || travel.taken) continue;
      // Each phone counts days of its own; what has set out waits for none of them.
      if (travel.phone === null ? travel.from_day > day : leg.elsewhere && travel.phone === phone)
        continue;
      travel.taken = true;
      const end = (kept: boolean): void => {
        travel.taken = false;
        if (!kept) return;
        travel.legs.shift();
        travel.phone = phone;
      };
      return { leg, lane: travel.name, end };
    }
    return null;
  }
}
