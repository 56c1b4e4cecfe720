/** Whether a job is over on this phone, whatever the server's documents say of it. */

import { changeOf, type Changes } from './changes';

/** Return the last form that was captured on a job and that the server's documents do not know of. */
export function captured(job: { kind: string; id: string }, changes: Changes): string | null {
  return changeOf(job, changes)?.form ?? null;
}

/** Tell whether a job is over as far as this phone knows: its last form has said that it ends it. */
export function isOver(job: { kind: string; id: string }, changes: Changes): boolean {
  return changeOf(job, changes)?.over === true;
}
