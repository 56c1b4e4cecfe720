/** When a person is at work in the sense of the place: only then is anything recorded. */

import type { StoredDocument } from '../../shared/sync/schema';
import type { Changes } from '../flow/changes';
import { captured, isOver } from '../flow/over';
import { of } from '../work';

/** Tell whether there is an open shift, an accepted run or a started visit, as far as this phone knows. */
export function onDuty(documents: StoredDocument[], changes: Changes): boolean {
  const last = (kind: string, id: string): string | null => captured({ kind, id }, changes);
  const shift = of(documents, 'shift').some(({ id, state }) => {
    const did = last('shift', id);
    return did === null ? state === 'open' : did !== 'close_shift';
  });
  const run = of(documents, 'run').some(({ id, state, stop_ids }) => {
    const taken = state === 'accepted' || last('run', id) === 'take_run';
    return taken && stop_ids.some((stop) => !isOver({ kind: 'stop', id: stop }, changes));
  });
  const visit = of(documents, 'visit').some(({ id, state }) => {
    const begun = state === 'started' || last('visit', id) !== null;
    return begun && !isOver({ kind: 'visit', id }, changes);
  });
  return shift || run || visit;
}
