/** How far a phone is from where its job is done: told before the work, not only when it is checked. */

import type { Json } from '../../shared/sync/wire';
import { metres } from '../place/geometry';
import type { Known } from '../work';

/** Nearer than this no proof is questioned for its place (`place_m` of `modules/tms/rules/proofs.py`). */
const NEAR_M = 150;

interface Place {
  lat: number;
  lng: number;
  accuracy_m: number;
}

/** Return how many metres a place is from a job; null where that is near, not sure, or not known. */
export function away(job: Known, place: Json | undefined): number | null {
  if ((job.kind !== 'stop' && job.kind !== 'visit') || place === undefined) return null;
  const { lat, lng } = job.body.address;
  if (lat === null || lng === null) return null;
  const here = place as unknown as Place;
  const far = metres(here, { lat, lng });
  return far > Math.max(NEAR_M, 2 * here.accuracy_m) ? far : null;
}
