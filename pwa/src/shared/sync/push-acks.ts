/**
 * What became of notifications on this phone: shown, tapped. The office sees by it whom a word reaches.
 *
 * Nothing depends on it, so it waits for the next sync that works, and only the newest are kept.
 */

import type { Database } from './database';
import type { Reply } from './http';
import type { Line } from './line';
import type { Session } from './ports';

export interface PushAck {
  /** The id of the message, as it came. */
  id: string;
  what: 'shown' | 'tapped';
  /** Wall time of this phone, RFC 3339. */
  at: string;
}

/** As many as one request may carry; older ones are forgotten. */
export const MOST_ACKS = 50;

const CLIENT_ERRORS = [400, 404, 413, 422];

export class PushAcks {
  constructor(
    private readonly database: Database,
    private readonly line: Line,
  ) {}

  /** Keep an acknowledgement until it is sent. */
  async add(person_id: string, ack: PushAck): Promise<void> {
    await this.#change(person_id, (acks) => [...acks, ack].slice(-MOST_ACKS));
  }

  /** Send what there is; what the server cannot read is let go, all else is tried again. */
  async run(session: Session, eager: boolean): Promise<void> {
    const acks = await this.#read(session.person_id);
    if (acks.length === 0 || !(await this.line.isOpen(eager))) return;
    const reply = await this.line.ask(session, '/field/push/acks', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ acks }),
    });
    if (!isSettled(reply)) return this.line.failed(reply);
    await this.line.worked();
    const sent = new Set(acks.map(nameOf));
    await this.#change(session.person_id, (now) => now.filter((ack) => !sent.has(nameOf(ack))));
  }

  async #read(person_id: string): Promise<PushAck[]> {
    const stored = await this.database.read(['meta'], (transaction) =>
      transaction.objectStore('meta').get(key(person_id)),
    );
    return (stored as PushAck[] | undefined) ?? [];
  }

  #change(person_id: string, change: (acks: PushAck[]) => PushAck[]): Promise<void> {
    return this.database.write(['meta'], async (transaction) => {
      const meta = transaction.objectStore('meta');
      const acks = (await meta.get(key(person_id))) as PushAck[] | undefined;
      await meta.put(change(acks ?? []), key(person_id));
    });
  }
}

function isSettled(reply: Reply | null): boolean {
  return reply !== null && (reply.status === 204 || CLIENT_ERRORS.includes(reply.status));
}

function nameOf({ id, what }: PushAck): string {
  return `${what} ${id}`;
}

function key(person_id: string): string {
  return `push_acks:${person_id}`;
}
