/** The languages of the field, and the names of its texts. */

import type english from './en.json';

/** The name of a text. */
export type Key = keyof typeof english;
export type Code = keyof typeof NAMES;

/** Each in its own words, for whoever cannot read the one that is set. */
export const NAMES = {
  en: 'English',
  hi: 'हिन्दी',
  ar: 'العربية',
  ur: 'اردو',
  ml: 'മലയാളം',
  bn: 'বাংলা',
} as const;

export const CODES = Object.keys(NAMES) as Code[];

export const RIGHT_TO_LEFT: readonly Code[] = ['ar', 'ur'];
