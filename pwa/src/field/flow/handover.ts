/** What the office says of the code that a customer has told, while there is a signal to ask it. */

import type { components } from '../../generated/api';

/** So many digits every code has (`CODE_DIGITS` of the server). */
export const DIGITS = 6;

/**
 * `later`: it was not asked, or did not say; it looks at the code when the delivery is sent.
 * `spent`: wrong too often. Only one that is told anew opens anything.
 * `doubted`: it was wrong when it was asked, and is still the same.
 */
export type Word = { is: 'right' | 'later' | 'spent' | 'doubted' } | { is: 'wrong'; left: number };

type Reply = { status: number; body: unknown } | null;

/** Read its answer; whatever is no answer to the question leaves it for later. */
export function wordOf(reply: Reply): Word {
  if (reply === null) return { is: 'later' };
  if (problemOf(reply.body) === '/problems/code-tries-exhausted') return { is: 'spent' };
  if (reply.status !== 200) return { is: 'later' };
  const { ok, tries_left } = reply.body as components['schemas']['CodeOut'];
  if (ok) return { is: 'right' };
  return tries_left > 0 ? { is: 'wrong', left: tries_left } : { is: 'spent' };
}

function problemOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'type' in body ? body.type : null;
}
