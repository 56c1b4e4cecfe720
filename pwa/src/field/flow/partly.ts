/** What a capture leaves to be done: of its job, or of the boxes that its form asks for. */

import type { Known } from '../work';
import { changed } from './changes';
import { asDone } from './done';
import { filledIn, list, payload, type Filled, type Form } from './forms';
import { labels, loaded } from './job-labels';

/** Tell whether a capture leaves more of the same to be done on its job. */
export function isPart(form: Form, job: Known, filled: Filled): boolean {
  const change = changed(form.name, payload(form, job, filled, 0), null, 0);
  const after = asDone(job, new Map([[`${job.kind}:${job.id}`, change as never]]));
  switch (form.name) {
    case 'check':
      return after.kind === 'pick_list' && after.body.state !== 'checked';
    case 'count':
      return after.kind === 'count' && after.body.lines.some((line) => !line.counted);
    default:
      return false;
  }
}

/** Tell whether none of what a form asks for was scanned: what does not belong there does not count. */
export function isIdle(form: Form, job: Known, filled: Filled): boolean {
  const any = form.slots.some(
    ({ type, name }) =>
      type === 'scans' &&
      list<string>(filled.answers[name]).some((label) => labels(job).includes(label)),
  );
  // What was found again was not asked for, and was scanned all the same.
  if (any) return false;
  const all = unscanned(form, job, { ...filled, answers: {} });
  if (all > 0) return unscanned(form, job, filled) === all;
  const there = form.slots.some((slot) => slot.type === 'scans' && labels(job, slot).length > 0);
  return !there && filledIn(form, filled).length === 0;
}

/** Count the boxes of a job that a form asks for and that were not scanned. */
export function unscanned(form: Form, job: Known, { answers }: Filled): number {
  return form.slots
    .filter((slot) => slot.type === 'scans')
    .map((slot) => {
      const said = list<string>(answers[slot.name]);
      const seen = [...loaded(job), ...said];
      return labels(job, slot, said).filter((label) => !seen.includes(label)).length;
    })
    .reduce((sum, each) => sum + each, 0);
}
