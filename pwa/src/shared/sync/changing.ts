/** What a capture changes on the screens until the documents have it. */

import type { Json } from './wire';

type StateChanges = { [key: string]: Json };

/** By key; what names the capture itself is made once that has its id. */
export type Changing = StateChanges | ((event_id: string) => StateChanges);

/** Return what a capture changes, now that it has its id. */
export function changesOf({ changes }: { changes?: Changing }, event_id: string): StateChanges {
  return typeof changes === 'function' ? changes(event_id) : (changes ?? {});
}
