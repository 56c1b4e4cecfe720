/** Which capture has ended a job: the one that can be amended, and stays as it is. */

import { phone } from '../phone.svelte';
import type { Known } from '../work';

/** Return the event of the last capture of a job: the office's word of it, else this phone's. */
export function madeBy(job: Known): string | null {
  // A server before this version does not say.
  if (job.kind === 'done') return job.body.event_id ?? null;
  return phone.work.made_by.get(`${job.kind}:${job.id}`) ?? null;
}
