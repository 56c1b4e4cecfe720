/** The whole of it, for a page: keep captures, and send them. */

import { Exchange } from './exchange';
import { readLanes, type OnItsWay } from './lanes';
import { Outbox, type Capture } from './outbox';
import type { Ports } from './ports';
import { Quarantine } from './quarantine';
import type { Quarantined } from './schema';
import { readStatus, type Problem, type Status } from './status';
import type { TrustedTime } from './trusted-time';
import type { Json, WireEvent } from './wire';

export class Sync extends Exchange {
  readonly #outbox: Outbox;
  readonly #quarantine: Quarantine;

  constructor(ports: Ports) {
    super(ports);
    this.#quarantine = new Quarantine(this.database);
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

  /** Tell how this person's outbox stands. */
  async status(person_id: string): Promise<Status> {
    const counts = await readStatus(this.database, this.ports.clock, person_id);
    const { push, pull, media } = this.lines;
    const lines = [await push.health(), await pull.health(), await media.health()];
    const problems: (Problem | null)[] = lines.map((line) => line.problem);
    if ((await this.ports.sessions.current()) === null) problems.push('sign_in');
    if (this.puller.noRoom) problems.push('no_room');
    const named = problems.filter((problem): problem is Problem => problem !== null);
    return { ...counts, problems: [...new Set(named)] };
  }

  /** Return the captures that need a person, with what was captured and why they did not pass. */
  quarantine(person_id: string): Promise<Quarantined[]> {
    return this.#quarantine.of(person_id);
  }

  /** Send a capture of the quarantine once more; false when the server has said its word on it. */
  release(event_id: string): Promise<boolean> {
    return this.#quarantine.release(event_id);
  }

  /** Put away a rejected capture that its person has seen; false while only this phone has it. */
  dismiss(event_id: string): Promise<boolean> {
    return this.#quarantine.dismiss(event_id);
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
