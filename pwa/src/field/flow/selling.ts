/** What a customer takes beside the order: prices, lines and their sum, to the minor unit as the server. */

import type { components } from '../../generated/api';
import type { StoredDocument } from '../../shared/sync/schema';
import { of } from '../work';

export type Price = components['schemas']['ExtraPrice'];
export type Line = components['schemas']['ExtraLine'];

/** At most so many lines are one capture. */
export const MOST = 40;

/** Return the prices that hold, as far as this phone knows, by their code. */
export function pricesOf(documents: StoredDocument[]): Price[] {
  return of(documents, 'price_list').flatMap((list) => list.prices);
}

/** Return the lines with their prices; what is no longer sold at that price is left out. */
export function priced(lines: Line[], prices: Price[]): { line: Line; price: Price }[] {
  return lines.flatMap((line) => {
    const price = prices.find((one) => one.id === line.price_id);
    return price === undefined ? [] : [{ line, price }];
  });
}

/** Return what so many units cost with tax, which is rounded once, half up. */
export function cost(price: Price, quantity: number): number {
  const net = price.price_minor * quantity;
  return net + Math.floor((net * price.tax_basis_points + 5_000) / 10_000);
}

/** Return what all lines cost with tax. */
export function total(lines: Line[], prices: Price[]): number {
  return priced(lines, prices)
    .map(({ line, price }) => cost(price, line.quantity))
    .reduce((sum, each) => sum + each, 0);
}

/** Return the lines with another quantity of one price; none of it takes the line out. */
export function set(lines: Line[], price_id: string, quantity: number): Line[] {
  const at = lines.findIndex((one) => one.price_id === price_id);
  const others = lines.filter((one) => one.price_id !== price_id);
  if (quantity <= 0) return others;
  return at < 0
    ? [...lines, { price_id, quantity }]
    : lines.map((one) => (one.price_id === price_id ? { price_id, quantity } : one));
}

/** Return what something is called in a language; in English where it has no name there. */
export function named(price: Pick<Price, 'names' | 'code'>, language: string): string {
  return price.names[language] ?? price.names['en'] ?? Object.values(price.names)[0] ?? price.code;
}

/** Return the prices that say all these words in a name or their code. */
export function found(prices: Price[], words: string): Price[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return prices.filter((price) => {
    const said = `${price.code} ${Object.values(price.names).join(' ')}`.toLowerCase();
    return wanted.every((word) => said.includes(word));
  });
}
