/**
 * Keeps what somebody fills in, from the first answer on: a page that dies leaves it where it was.
 *
 * A picture lies here from its shutter on, in one transaction with the answer that names it. The
 * capture ends the draft and takes the pictures over (`outbox.ts`).
 */

import type { Database } from './database';
import type { Draft, DraftPicture } from './schema';
import type { Json } from './wire';

const STORES = ['draft', 'draft_picture'] as const;

type Taken = Omit<DraftPicture, 'person_id' | 'key'>;

export class Drafts {
  constructor(private readonly database: Database) {}

  /** Return what was filled in under this key, or null where nothing was. */
  async read(person_id: string, key: string): Promise<Json> {
    const draft = await this.database.read(['draft'], (transaction) =>
      transaction.objectStore('draft').get([person_id, key]),
    );
    return draft?.value ?? null;
  }

  /**
   * Keep what was filled in, with pictures that were just taken; `dropped` were taken again.
   *
   * Raises StorageFull, and then nothing of it was kept.
   */
  write(draft: Draft, taken: Taken[] = [], dropped: string[] = []): Promise<void> {
    const { person_id, key } = draft;
    return this.database.writeNew([...STORES], async (transaction) => {
      await transaction.objectStore('draft').put(draft);
      const pictures = transaction.objectStore('draft_picture');
      for (const sha256 of dropped) await pictures.delete([person_id, key, sha256]);
      for (const picture of taken) await pictures.put({ ...picture, person_id, key });
    });
  }

  /** Return a picture of a draft, or undefined where it is gone. */
  picture(person_id: string, key: string, sha256: string): Promise<DraftPicture | undefined> {
    return this.database.read(['draft_picture'], (transaction) =>
      transaction.objectStore('draft_picture').get([person_id, key, sha256]),
    );
  }

  /** Forget what was filled in, because its person does not want it. */
  drop(person_id: string, key: string): Promise<void> {
    return this.database.write([...STORES], async (transaction) => {
      await transaction.objectStore('draft').delete([person_id, key]);
      await transaction
        .objectStore('draft_picture')
        .delete(IDBKeyRange.bound([person_id, key], [person_id, key, []]));
    });
  }

  /** Return everything that this person has begun to fill in. */
  all(person_id: string): Promise<Draft[]> {
    return this.database.read(['draft'], (transaction) =>
      transaction.objectStore('draft').getAll(IDBKeyRange.bound([person_id], [person_id, []])),
    );
  }

  /** Forget what this person has begun and will not finish, with its pictures. */
  async sweep(person_id: string, isLeftOver: (draft: Draft) => boolean): Promise<void> {
    const drafts = await this.all(person_id);
    for (const { key } of drafts.filter(isLeftOver)) await this.drop(person_id, key);
  }
}
