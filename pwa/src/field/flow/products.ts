/** The goods that this phone knows by name, out of the jobs at its location. */

import type { StoredDocument } from '../../shared/sync/schema';
import { of } from '../work';

export interface Product {
  sku: string;
  name: string;
  barcode: string;
}

/** List them, each once. */
export function productsOf(documents: StoredDocument[]): Product[] {
  const lines = [
    ...of(documents, 'pick_list'),
    ...of(documents, 'arrival'),
    ...of(documents, 'count'),
  ].flatMap((job): Product[] => job.lines);
  return [...new Map(lines.map((line) => [line.sku, line])).values()];
}
