/** Distances as people read them. */

import { language } from '../i18n/language.svelte';

/** Write a distance in whole or half kilometres, or in metres; digits are those of labels everywhere. */
export function distance(metres: number): string {
  const far = metres >= 1_000;
  return new Intl.NumberFormat(`${language.code}-u-nu-latn`, {
    style: 'unit',
    unit: far ? 'kilometer' : 'meter',
    maximumFractionDigits: 1,
  }).format(far ? metres / 1_000 : metres);
}
