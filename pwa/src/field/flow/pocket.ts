/** Cash for extras that this phone has captured and the office does not know of yet. */

import type { StoredDocument } from '../../shared/sync/schema';
import { find } from '../work';
import type { Changes } from './changes';

interface Taken {
  receipts?: { id: string; tenders: { method: string; amount_minor: number }[] }[];
}

/** Under what this phone keeps what was done about a visit's extras: this, and the visit's id. */
export const OF_EXTRAS = 'extras:';

/** Return it by visit, each in the currency of its order. */
export function cashOfExtras(
  documents: StoredDocument[],
  changes: Changes,
): { currency: string; minor: number }[] {
  return [...changes].flatMap(([key, change]) => {
    if (!key.startsWith(OF_EXTRAS)) return [];
    const visit = find(documents, 'visit', key.slice(OF_EXTRAS.length));
    if (visit?.kind !== 'visit') return [];
    const known = new Set((visit.body.receipts ?? []).map((one) => one.id));
    const minor = ((change as Taken).receipts ?? [])
      .filter((one) => !known.has(one.id))
      .flatMap((one) => one.tenders)
      .reduce((sum, one) => sum + (one.method === 'cash' ? one.amount_minor : 0), 0);
    return minor > 0 ? [{ currency: visit.body.currency, minor }] : [];
  });
}
