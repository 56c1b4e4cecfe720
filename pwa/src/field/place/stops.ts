/** The places of a day's jobs, numbered in the order of doing, and the ways between them. */

import type { StoredDocument } from '../../shared/sync/schema';
import { of, type Job } from '../work';
import { metres, type Point } from './geometry';

export type Visited = Extract<Job, { kind: 'stop' | 'visit' }>;

/** A job where somebody has to go, and its number in the order of the day. */
export interface Stop {
  n: number;
  job: Visited;
  /** Null where nobody set a pin. */
  point: Point | null;
}

/** Return the jobs where somebody has to go, numbered as they stand on the list. */
export function stopsOf(list: Job[]): Stop[] {
  return list
    .filter((job): job is Visited => job.kind === 'stop' || job.kind === 'visit')
    .map((job, at) => ({ n: at + 1, job, point: pin(job) }));
}

/** Return where a job is done; null where nobody set a pin. */
export function pin(job: Job): Point | null {
  if (job.kind !== 'stop' && job.kind !== 'visit') return null;
  const { lat, lng } = job.body.address;
  return lat === null || lng === null ? null : { lat, lng };
}

/** Return the ways as they are driven: the stops of each run in its order, and the visits by their hour. */
export function ways(stops: Stop[], documents: StoredDocument[]): Stop[][] {
  const run = new Map(
    of(documents, 'run').flatMap((one) => one.stop_ids.map((id): [string, string] => [id, one.id])),
  );
  const found = new Map<string, Stop[]>();
  for (const stop of stops) {
    if (stop.point === null) continue;
    const way = stop.job.kind === 'visit' ? 'visits' : run.get(stop.job.id);
    if (way !== undefined) found.set(way, [...(found.get(way) ?? []), stop]);
  }
  return [...found.values()].filter((way) => way.length > 1);
}

/** The nearest job within that many metres of where the phone is, is worth being drawn with. */
const NEAR_M = 20_000;

/** Tell whether the own place belongs on the drawing: far away it would shrink the day to a dot. */
export function isNear(here: Point, points: Point[]): boolean {
  return points.some((point) => metres(here, point) <= NEAR_M);
}
