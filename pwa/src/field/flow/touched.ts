/** What a capture makes of this phone's knowledge: its job, and what is in its person's hands. */

import type { Known } from '../work';
import { fetched, reported } from './cargo';
import { changed, changeOf, type Change, type Changes } from './changes';
import type { Answers } from './forms';

/** Forms about extras, whose state is kept by itself (`paying.ts`). */
const EXTRAS: readonly string[] = ['add_extras', 'pay_extras'];

/**
 * Return what a capture makes of all that it touches: its job, and what is in its person's hands.
 *
 * `hands` is the key of the latter.
 */
export function touched(
  form: { name: string; ends?: boolean },
  job: Known,
  said: Answers,
  chosen: string[],
  { hands, changes, at }: { hands: string; changes: Changes; at: number },
): { [key: string]: Change } {
  const held = (changes.get(hands) as unknown as Change | undefined) ?? null;
  // What becomes of reported boxes the office decides: their job goes on as it stands.
  if (form.name === 'report_piece') return { [hands]: reported(held, said, at) };
  // Extras are sold beside the work, which goes on as it stands.
  if (job.kind === 'none' || EXTRAS.includes(form.name)) return {};
  const own: Change = { ...changed(form.name, said, changeOf(job, changes), at), chosen };
  if (form.ends === true) own.over = true;
  const made = { [`${job.kind}:${job.id}`]: own };
  if (form.name !== 'pick_up' || job.kind !== 'manifest') return made;
  return { ...made, [hands]: fetched(held, job.body.pieces, at) };
}
