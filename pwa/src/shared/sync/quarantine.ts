/** Captures that did not pass, each until its person has dealt with it. */

import type { Database } from './database';
import { toEntry, type Quarantined } from './schema';

export class Quarantine {
  constructor(private readonly database: Database) {}

  /** Return what needs a person, oldest first. */
  of(person_id: string): Promise<Quarantined[]> {
    return this.database.read(['quarantine'], (transaction) =>
      transaction.objectStore('quarantine').index('by_person').getAll(person_id),
    );
  }

  /**
   * Put a capture that only this phone has back into the outbox, once its cause is mended.
   *
   * One with a receipt stays: the server has it and has said its word. Returns whether it went back.
   */
  release(event_id: string): Promise<boolean> {
    return this.database.write(['entry', 'quarantine'], async (transaction) => {
      const row = await transaction.objectStore('quarantine').get(event_id);
      if (row === undefined || row.receipt !== null) return false;
      await transaction.objectStore('entry').add(toEntry(row));
      await transaction.objectStore('quarantine').delete(event_id);
      return true;
    });
  }

  /**
   * Put away a capture that its person has dealt with.
   *
   * One without a receipt stays: nobody but this phone has it. Returns whether it went.
   */
  dismiss(event_id: string): Promise<boolean> {
    return this.database.write(['quarantine'], async (transaction) => {
      const store = transaction.objectStore('quarantine');
      const row = await store.get(event_id);
      if (row === undefined || row.receipt === null) return false;
      await store.delete(event_id);
      return true;
    });
  }
}
