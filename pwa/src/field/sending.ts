/** How the sync stands, in words: green only by receipts (field-app.md, mistake 17). */

import type { Problem, Status } from '../shared/sync/status';
import type { Key } from './i18n/languages';

export interface Badge {
  words: Extract<Key, `badge_${string}`>;
  count: number;
  tone: 'good' | 'waiting' | 'attention';
}

/** Say in a word or two how it stands, with so many forms begun; what needs somebody comes first. */
export function badge(status: Status, busy: boolean, begun: number): Badge {
  if (status.needs_attention > 0) {
    return { words: 'badge_attention', count: status.needs_attention, tone: 'attention' };
  }
  const open = status.waiting.count + status.sending.count + status.pictures_waiting.count;
  if (open === 0) {
    if (begun > 0) return { words: 'badge_begun', count: begun, tone: 'waiting' };
    const ever = status.confirmed + status.pictures_confirmed > 0;
    return { words: ever ? 'badge_confirmed' : 'badge_nothing', count: 0, tone: 'good' };
  }
  const words = busy || status.sending.count > 0 ? 'badge_sending' : 'badge_waiting';
  return { words, count: open, tone: 'waiting' };
}

const WORDS: Record<Problem, Extract<Key, `problem_${string}`>> = {
  sign_in: 'problem_sign_in',
  forbidden: 'problem_forbidden',
  update: 'problem_update',
  busy: 'problem_busy',
  server: 'problem_server',
  no_answer: 'problem_no_answer',
  no_room: 'problem_no_room',
};

/** Explain why something waits, and what helps. */
export function explain(problem: Problem): Key {
  return WORDS[problem];
}
