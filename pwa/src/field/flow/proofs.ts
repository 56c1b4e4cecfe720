/** Why a proof was not accepted, in names that the screen has words for. */

import type { Bodies } from '../work';

type Proof = Bodies['proof'];

/** Slots of the delivery form by what a proof may lack. */
const SLOTS: Readonly<Record<string, string>> = {
  scan: 'scanned_labels',
  code: 'handover_code',
  tender: 'tenders',
};

/** What a proof lacks: a picture of a slot, or the answer to a step of the form. */
export type Lacking = { photo: string } | { slot: string };

/** Return what of its recipe a proof lacks. */
export function lacking(proof: Proof): Lacking[] {
  return proof.missing.map((name) => {
    const [what = '', photo] = name.split(':');
    return photo === undefined ? { slot: SLOTS[what] ?? what } : { photo };
  });
}

/** How a proof stands: with the desk, decided, or not accepted and nothing said about it yet. */
export type Standing = 'counts' | 'refused' | 'doubted' | 'appealed' | 'upheld' | 'overturned';

/** Tell how a proof stands; `said`: an appeal of it waits on this phone. */
export function standing(proof: Proof, said: boolean): Standing {
  if (!proof.counts && said) return 'appealed';
  if (proof.standing !== null) return proof.standing;
  if (proof.counts) return 'counts';
  return proof.verdict === 'look' && proof.missing.length === 0 ? 'doubted' : 'refused';
}
