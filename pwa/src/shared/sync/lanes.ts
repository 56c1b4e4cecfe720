/** What is on its way of each job: its captures, and the pictures that they name. */

import type { Database } from './database';
import type { Media } from './schema';
import { pictures } from './status';

/** Of one lane: captures and pictures that the server has not confirmed. */
export interface OnItsWay {
  lane: string;
  captures: number;
  pictures: number;
  picture_bytes: number;
}

/** Return every lane of this person of which something is not confirmed, as it was captured. */
export async function readLanes(database: Database, person_id: string): Promise<OnItsWay[]> {
  const stores = ['entry', 'tombstone', 'quarantine', 'media'] as const;
  const held = await database.read([...stores], async (transaction) => ({
    entries: await transaction.objectStore('entry').index('by_seq').getAll(),
    tombstones: await transaction.objectStore('tombstone').getAll(),
    quarantined: await transaction.objectStore('quarantine').index('by_person').getAll(person_id),
    media: await transaction.objectStore('media').index('by_complete').getAll(0),
  }));
  const entries = held.entries.filter((entry) => entry.person_id === person_id);
  const lane_of = new Map(
    [...held.tombstones, ...held.quarantined, ...entries].map(({ event_id, lane }) => [
      event_id,
      lane,
    ]),
  );
  const lanes = new Map<string, OnItsWay>();
  const media_of = new Map<string, Media[]>();
  const of = (lane: string): OnItsWay => {
    const known = lanes.get(lane) ?? { lane, captures: 0, pictures: 0, picture_bytes: 0 };
    lanes.set(lane, known);
    return known;
  };
  for (const { lane } of entries) of(lane).captures += 1;
  for (const picture of held.media) {
    if (picture.person_id !== person_id) continue;
    const [event_id = ''] = picture.event_ids;
    const lane = lane_of.get(event_id) ?? '';
    media_of.set(lane, [...(media_of.get(lane) ?? []), picture]);
    of(lane).picture_bytes += picture.length;
  }
  for (const [lane, media] of media_of) of(lane).pictures = pictures(media);
  return [...lanes.values()];
}
