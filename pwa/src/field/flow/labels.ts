/** How the server's names are called on the screen; one that this version does not know is shown as it is. */

import { language, t } from '../i18n/language.svelte';
import { EXTRA } from './forms';

/** Write the name of a form, a slot or an answer in the language that is set. */
export function label(of: 'form' | 'slot' | 'option', name: string): string {
  return known(`${of}_${name}`) ?? readable(name);
}

/** Write an answer to a slot: in its own words where the slot has some, else as everywhere. */
export function answer(slot: string, value: string): string {
  return known(`option_${slot}_${value}`) ?? label('option', value);
}

/** Write what the last tap of a form says. */
export function finishing(form: string): string {
  return known(`finish_${form}`) ?? label('form', form);
}

/** Write what a picture is of. */
export function pictured(slot: string): string {
  if (slot.startsWith(`${EXTRA}_`)) return t('another_photo');
  return known(`photo_${slot}`) ?? readable(slot);
}

function known(key: string): string | null {
  return language.has(key) ? t(key) : null;
}

function readable(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
