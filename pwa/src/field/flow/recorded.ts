/** What the office has recorded of a job that is over, for its person to look it up. */

import { language, t } from '../i18n/language.svelte';
import type { Bodies } from '../work';
import { answer, apart, label } from './labels';

type DoneJob = Bodies['day']['done'][number];

/** Say in a few words each what was recorded. */
export function recordedOf({ name: customer, recorded }: DoneJob): string[] {
  // A server before this version tells nothing of it.
  if ((recorded as unknown) === undefined) return [];
  const { reason, name, photos, signed, code_ok, currency } = recorded;
  const { kept_back = 0, kept = [], tenders = [] } = recorded as Partial<typeof recorded>;
  return [
    reason === null ? '' : answer('reason', reason),
    name === '' || name === customer ? '' : apart(name),
    photos > 0 ? t('recorded_photos', { count: photos }) : '',
    signed ? label('slot', 'signature') : '',
    code_ok === null ? '' : t(code_ok ? 'recorded_code_right' : 'recorded_code_wrong'),
    kept.length === 0 && kept_back > 0 ? t('recorded_kept', { count: kept_back }) : '',
    ...kept.map((one) =>
      t('recorded_kept_of', {
        quantity: one.quantity,
        name: apart(one.name),
        reason: label('option', one.reason),
      }),
    ),
    ...tenders.map(
      (one) =>
        `${label('option', one.method)} ${language.money(one.amount_minor, currency)}` +
        // A server before this version does not tell it.
        (one.reference ? ` (${apart(one.reference)})` : ''),
    ),
  ].filter((words) => words !== '');
}
