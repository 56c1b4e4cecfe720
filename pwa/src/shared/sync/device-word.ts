/**
 * What the office has told this phone: work, lock, or hand in everything and sign out.
 *
 * It comes with any answer of the server. The next push says that it was heard, so that the office
 * sees it; that push may be empty.
 */

import type { Database } from './database';

export const DEVICE_STATES = ['active', 'locked', 'draining'] as const;

export type DeviceState = (typeof DEVICE_STATES)[number];

interface Heard {
  state: DeviceState;
  acknowledged: boolean;
}

const NOTHING: Heard = { state: 'active', acknowledged: true };

export class DeviceWord {
  constructor(private readonly database: Database) {}

  /** Return what this person's device was told last. */
  async state(person_id: string): Promise<DeviceState> {
    return (await this.#read(person_id)).state;
  }

  /** Tell whether the office does not know yet that it was heard. */
  async isNews(person_id: string): Promise<boolean> {
    return !(await this.#read(person_id)).acknowledged;
  }

  /** Remember what an answer said; `told` is what its request had said was heard before. */
  async hear(person_id: string, state: DeviceState, told: DeviceState): Promise<void> {
    const before = await this.#read(person_id);
    const acknowledged = state === told;
    if (before.state === state && before.acknowledged === acknowledged) return;
    await this.database.write(['meta'], (transaction) =>
      transaction.objectStore('meta').put({ state, acknowledged }, key(person_id)),
    );
  }

  async #read(person_id: string): Promise<Heard> {
    const stored = await this.database.read(['meta'], (transaction) =>
      transaction.objectStore('meta').get(key(person_id)),
    );
    return (stored as Heard | undefined) ?? NOTHING;
  }
}

/** Read the word of an answer; null for a state that this version does not know. */
export function readState(device: unknown): DeviceState | null {
  const { state } = (device ?? {}) as { state?: unknown };
  return DEVICE_STATES.find((known) => known === state) ?? null;
}

function key(person_id: string): string {
  return `device_word:${person_id}`;
}
