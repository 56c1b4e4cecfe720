/** Amounts as people type them. */

import { latin } from './digits';

/** Read an amount by its currency's own decimals; null for what is none. */
export function minorOf(text: string, currency: string): number | null {
  const plain = latin(text)
    .replaceAll(/[\s,٬]/g, '')
    .replace('٫', '.');
  if (!/^[0-9]+(\.[0-9]+)?$/.test(plain)) return null;
  const [whole = '', part = ''] = plain.split('.');
  const decimals = decimalsOf(currency);
  if (part.length > decimals) return null;
  const minor = Number(whole + part.padEnd(decimals, '0'));
  return Number.isSafeInteger(minor) ? minor : null;
}

/** Return how many decimals a currency has. */
export function decimalsOf(currency: string): number {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}
