/** Digits as they are typed anywhere. */

/** Zeros of Arabic, Persian and Urdu, Devanagari, Bengali and Malayalam; the others follow them. */
const ZEROS = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0d66];

/** Write the digits of any keyboard of the field as 0 to 9; everything else stays as it is. */
export function latin(text: string): string {
  return [...text.normalize('NFKC')].map(digit).join('');
}

function digit(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  const zero = ZEROS.find((first) => point >= first && point <= first + 9);
  return zero === undefined ? character : String(point - zero);
}

/** Return what of a phone number is dialled, as `tel:` and WhatsApp want it. */
export function digitsOf(phone: string | null | undefined): string {
  return (phone ?? '').replaceAll(/[^0-9]/g, '');
}

/** Tell whether a PIN is one digit only or a row of digits, which the office does not take either. */
export function isEasy(pin: string): boolean {
  const steps = new Set([...pin].slice(1).map((one, n) => Number(one) - Number(pin[n])));
  return steps.size === 1 && [-1, 0, 1].some((step) => steps.has(step));
}
