/**
 * Brings to the phone what its person needs to work without a signal.
 *
 * Two layers that never mix: the server's documents, written by pulls alone, and what captures have
 * changed on this phone, written by captures alone. A screen shows the second over the first, until
 * the documents know of the capture: they were asked for after its receipt had come. So no pull,
 * however old its answer is, takes back on the screen what somebody has done.
 */

import { isOver, LAST_LIMIT_MS } from './backoff';
import { StorageFull, type Database } from './database';
import { readState, type DeviceWord } from './device-word';
import { problemType, type Reply } from './http';
import type { Line } from './line';
import type { Ports, Session } from './ports';
import type { LocalState, StoredDocument } from './schema';
import type { TrustedTime } from './trusted-time';
import { readPull, type Json, type PullAnswer } from './wire';

/** What a person has to do, as far as this phone knows. */
export interface Work {
  documents: StoredDocument[];
  /** What captures have changed and the documents do not know of yet, by key; shown over them. */
  changes: Map<string, Json>;
  /** Which capture has made each of these changes. */
  made_by: Map<string, string>;
  /** When the documents were brought up to date; null before the first pull. */
  pulled_ms: number | null;
}

type Settled = Pick<LocalState, 'key' | 'event_id'>;

export class Puller {
  #noRoomUntil: number | null = null;

  constructor(
    private readonly ports: Pick<Ports, 'clock' | 'app_version'>,
    private readonly database: Database,
    private readonly line: Line,
    private readonly time: TrustedTime,
    private readonly word: DeviceWord,
  ) {}

  /** Tell whether the last answer found no room; what the phone had before it has still. */
  get noRoom(): boolean {
    return this.#noRoomUntil !== null;
  }

  /** Ask what has changed, unless the line or a full phone pauses, and keep all of it at once. */
  async run(session: Session, eager: boolean): Promise<void> {
    if (!(await this.line.isOpen(eager)) || (this.#isFull() && !eager)) return;
    const { cursor, settled } = await this.#standing(session.person_id);
    const query = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`;
    const reply = await this.line.ask(session, `/field/sync/pull${query}`, {
      method: 'GET',
      headers: { 'Doorstep-App-Version': this.ports.app_version },
    });
    const answer = reply?.status === 200 ? readPull(reply.body) : null;
    await this.#hear(session.person_id, reply, answer);
    if (answer === null || !answers(answer, session.person_id, cursor)) {
      await this.line.failed(reply);
      return;
    }
    this.time.hear(answer.server_time);
    await this.line.worked();
    try {
      await this.#keep(answer, settled);
      this.#noRoomUntil = null;
    } catch (failure) {
      if (!(failure instanceof StorageFull)) throw failure;
      this.#noRoomUntil = this.ports.clock.now() + LAST_LIMIT_MS;
    }
  }

  /** Return a person's work as it is at one moment; nobody else's is ever in it. */
  work(person_id: string): Promise<Work> {
    const mine = ofPerson(person_id);
    return this.database.read(['document', 'pull', 'state'], async (transaction) => {
      const documents = await transaction.objectStore('document').getAll(mine);
      const rows = await transaction.objectStore('state').getAll(mine);
      const pull = await transaction.objectStore('pull').get(person_id);
      const ahead = rows.filter((row) => row.in_documents !== true);
      const changes = new Map(ahead.map((row) => [row.key, row.value]));
      const made_by = new Map(ahead.map((row) => [row.key, row.event_id]));
      return { documents, changes, made_by, pulled_ms: pull?.pulled_ms ?? null };
    });
  }

  /** An active device gets its work, any other is told what it is; the next push says it was heard. */
  async #hear(person_id: string, reply: Reply | null, answer: PullAnswer | null): Promise<void> {
    const handsInOnly = reply !== null && problemType(reply) === 'device-hands-in-only';
    const state = answer !== null ? 'active' : handsInOnly ? readState(reply.body) : null;
    const before = await this.word.state(person_id);
    if (state !== null && state !== before) await this.word.hear(person_id, state, before);
  }

  #isFull(): boolean {
    const until = this.#noRoomUntil;
    return until !== null && !isOver(until, this.ports.clock.now(), LAST_LIMIT_MS);
  }

  /** Return how far the documents are, and the changes whose captures the server has by now. */
  #standing(person_id: string): Promise<{ cursor: string | null; settled: Settled[] }> {
    const stores = ['pull', 'state', 'entry', 'quarantine'] as const;
    return this.database.read([...stores], async (transaction) => {
      const pull = await transaction.objectStore('pull').get(person_id);
      const rows = await transaction.objectStore('state').getAll(ofPerson(person_id));
      const settled: Settled[] = [];
      for (const { key, event_id, in_documents } of rows) {
        if (in_documents === true) continue;
        const waits = await transaction.objectStore('entry').get(event_id);
        const refused = await transaction.objectStore('quarantine').get(event_id);
        // What only this phone has stays on the screen until a person has decided about it.
        if (waits === undefined && refused?.receipt !== null) settled.push({ key, event_id });
      }
      return { cursor: pull?.cursor ?? null, settled };
    });
  }

  /** Write documents, tombstones and cursor in one transaction, or nothing of them. */
  #keep(answer: PullAnswer, settled: Settled[]): Promise<void> {
    const { person_id, cursor } = answer;
    return this.database.writeNew(['document', 'pull', 'state'], async (transaction) => {
      const documents = transaction.objectStore('document');
      const pull = transaction.objectStore('pull');
      const known = await pull.get(person_id);
      // Without Web Locks another page may have pulled meanwhile; the next pull goes on from there.
      if (!answer.full && known?.cursor !== answer.since) return;
      if (answer.full) await documents.delete(ofPerson(person_id));
      for (const { kind, id } of answer.tombstones) await documents.delete([person_id, kind, id]);
      for (const document of answer.upserts) await documents.put({ ...document, person_id });
      await pull.put({ person_id, cursor, pulled_ms: this.ports.clock.now() });
      const state = transaction.objectStore('state');
      for (const { key, event_id } of settled) {
        const row = await state.get([person_id, key]);
        // A capture of meanwhile has changed it again; that one the documents do not know of.
        if (row?.event_id === event_id) await state.put({ ...row, in_documents: true });
      }
    });
  }
}

/** Tell whether this is the answer to what was asked; a cache may give one that was to another. */
function answers(answer: PullAnswer, person_id: string, cursor: string | null): boolean {
  return answer.person_id === person_id && (answer.full || answer.since === cursor);
}

function ofPerson(person_id: string): IDBKeyRange {
  return IDBKeyRange.bound([person_id], [person_id, []]);
}
