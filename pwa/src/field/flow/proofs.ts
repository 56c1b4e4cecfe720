/** Why a proof was not accepted, in names that the screen has words for. */

import type { Bodies } from '../work';

type Proof = Bodies['proof'];

/** What a proof lacks: a picture of a slot, or something else that its recipe names. */
export type Lacking = { photo: string } | { proof: string };

/** Return what of its recipe a proof lacks. */
export function lacking(proof: Proof): Lacking[] {
  return proof.missing.map((name) => {
    const [what = '', photo] = name.split(':');
    return photo === undefined ? { proof: what } : { photo };
  });
}

/** Tell whether a proof is not accepted for the code that was told with it. */
export function lacksCode(proof: Proof): boolean {
  return !proof.counts && proof.findings.some(({ code }) => code === 'wrong_code');
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
