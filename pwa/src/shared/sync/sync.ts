/** The whole of it, for a page: keep captures, and send them. */

import { Exchange } from './exchange';
import { readLanes, type OnItsWay } from './lanes';
import { Outbox, type Capture } from './outbox';
import type { Ports } from './ports';
import type { TrustedTime } from './trusted-time';
import type { Json, WireEvent } from './wire';

export class Sync extends Exchange {
  readonly #outbox: Outbox;

  constructor(ports: Ports) {
    super(ports);
    this.#outbox = new Outbox(ports, this.database, this.time);
  }

  /** Keep a capture; once this returns it is on the disk. Raises StorageFull, CaptureTooLarge. */
  async capture(capture: Capture): Promise<WireEvent> {
    const event = await this.#outbox.capture(capture);
    this.captures += 1;
    return event;
  }

  /** Return the times that a capture of this moment would carry. */
  stamp(): ReturnType<TrustedTime['stamp']> {
    return this.time.stamp();
  }

  /** Return what of this person is on its way, by job. */
  onItsWay(person_id: string): Promise<OnItsWay[]> {
    return readLanes(this.database, person_id);
  }

  /** Return what this person's screens show of jobs whose captures are under way. */
  state(person_id: string): Promise<Map<string, Json>> {
    return this.#outbox.state(person_id);
  }
}
