/** Why somebody was not let in, and what helps. */

import type { SignedIn } from '../shared/sync/session';
import type { Key } from './i18n/languages';

type Refused = Exclude<SignedIn, 'ok'>;

const WORDS: Record<Refused, Key> = {
  wrong: 'refused_code',
  locked: 'refused_locked',
  revoked: 'refused_revoked',
  busy: 'refused_busy',
  no_answer: 'refused_no_answer',
};

/** Say what came of an enrolment, or of a sign-in with the PIN. */
export function refusal(answer: Refused, of: 'enrol' | 'sign_in'): Key {
  return answer === 'wrong' && of === 'sign_in' ? 'refused_pin' : WORDS[answer];
}
