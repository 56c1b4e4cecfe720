/** The goods that this phone knows by name, out of the jobs at its location, also of those that are over. */

import type { StoredDocument } from '../../shared/sync/schema';
import { of } from '../work';

export interface Product {
  sku: string;
  name: string;
  barcode: string;
}

const KNOWN = 'doorstep-products';

/** So many are remembered; what was seen last goes last. */
const MOST = 300;

/** List them, each once; `known` are those of jobs that are over. */
export function productsOf(documents: StoredDocument[], known: Product[] = []): Product[] {
  const lines = [
    ...of(documents, 'pick_list'),
    ...of(documents, 'arrival'),
    ...of(documents, 'count'),
  ].flatMap((job): Product[] => job.lines);
  return [...new Map([...known, ...lines].map((line) => [line.sku, line])).values()];
}

/** Return the goods that are remembered. */
export function knownProducts(): Product[] {
  return JSON.parse(localStorage.getItem(KNOWN) ?? '[]') as Product[];
}

/** Remember the goods of these jobs for when they are over. */
export function rememberProducts(documents: StoredDocument[]): void {
  const all = productsOf(documents, knownProducts()).map(({ sku, name, barcode }) => ({
    sku,
    name,
    barcode,
  }));
  localStorage.setItem(KNOWN, JSON.stringify(all.slice(-MOST)));
}
