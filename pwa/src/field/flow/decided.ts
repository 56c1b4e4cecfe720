/** Which decisions of the office about a proof somebody has read on this phone. */

import type { Bodies } from '../work';

type Proof = Bodies['proof'];

const READ = 'doorstep-decisions-read';

/** Leave out the proofs that count and whose decision was read: nothing is to be done about them. */
export function toLookAt(proofs: Proof[]): Proof[] {
  const read = JSON.parse(localStorage.getItem(READ) ?? '[]') as string[];
  return proofs.filter((proof) => !proof.counts || !read.includes(proof.pod_id));
}

/** Remember that these were read; what is not told of any more is forgotten. */
export function readDecisions(proofs: Proof[]): void {
  const decided = proofs.filter((proof) => proof.counts).map((proof) => proof.pod_id);
  localStorage.setItem(READ, JSON.stringify(decided));
}
