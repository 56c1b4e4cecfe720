/** A moment as it is written: its day and its time, with the comma of the language. */

import { language } from '../i18n/language.svelte';

export function moment(at: string | number): string {
  const comma = ['ar', 'ur'].includes(language.code) ? '،' : ',';
  return `${language.day(at)}${comma} ${language.time(at)}`;
}
