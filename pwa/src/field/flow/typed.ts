/** Codes as people type them: small, and without dashes and spaces. */

/** Tell whether two codes are the same but for how they were written. */
export function alike(a: string, b: string): boolean {
  return plain(a) === plain(b);
}

/** Tell whether a code is a number of trade (GTIN of 8 or 12 to 14 digits): a barcode of goods, no serial. */
export function isTradeNumber(code: string): boolean {
  return /^([0-9]{8}|[0-9]{12,14})$/.test(code);
}

function plain(code: string): string {
  return code.toUpperCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}
