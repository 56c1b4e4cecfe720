/** Amounts as people type them. */

import { latin } from './digits';

/** Read an amount by its currency's own decimals; null for what is none. */
export function minorOf(text: string, currency: string): number | null {
  const decimals = decimalsOf(currency);
  const written = latin(text).replaceAll(/\s/g, '').replaceAll('٬', ',').replaceAll('٫', '.');
  // One comma before the decimals of the currency is a point to whoever writes so. Where it could part
  // thousands as well, nobody knows.
  const comma = /^[0-9]+,([0-9]+)$/.exec(written);
  if (comma !== null && comma[1]?.length === 3 && decimals === 3) return null;
  const plain =
    comma !== null && (comma[1] ?? '').length <= decimals
      ? written.replace(',', '.')
      : ungrouped(written);
  if (!/^[0-9]+(\.[0-9]+)?$/.test(plain)) return null;
  const [whole = '', part = ''] = plain.split('.');
  if (part.length > decimals) return null;
  const minor = Number(whole + part.padEnd(decimals, '0'));
  return Number.isSafeInteger(minor) ? minor : null;
}

/** Leave out the commas that part thousands, or hundreds above them as in India; others stay and are wrong. */
function ungrouped(written: string): string {
  return /^[0-9]{1,3}(,[0-9]{2,3})*,[0-9]{3}(\.[0-9]+)?$/.test(written)
    ? written.replaceAll(',', '')
    : written;
}

/** Return how many decimals a currency has. */
export function decimalsOf(currency: string): number {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}
