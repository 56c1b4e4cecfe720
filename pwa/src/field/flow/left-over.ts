/** What was begun on a job that was taken away, and that nobody will finish. */

import type { Draft, StoredDocument } from '../../shared/sync/schema';
import { find } from '../work';

/** A job that was taken away by mistake comes back within days, and with it what was filled in. */
const KEPT_MS = 7 * 24 * 60 * 60_000;

/** Tell whether a draft belongs to no job of this phone any more and was begun long ago. */
export function isLeftOver(
  { key, value }: Draft,
  documents: StoredDocument[],
  now: number,
): boolean {
  const [kind = '', id = ''] = key.split(':');
  if (find(documents, kind, id) !== null) return false;
  const begun = (value as { begun_ms?: unknown } | null)?.begun_ms;
  return typeof begun !== 'number' || now - begun > KEPT_MS;
}
