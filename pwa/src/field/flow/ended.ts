/** Drafts on jobs that the office knows to be over. */

import { phone } from '../phone.svelte';
import { forms, of } from '../work';

/**
 * Forget what was begun of the work of a job that is over: nobody can hand it in any more.
 *
 * Words about the job are no part of its work, and stay.
 */
export async function dropEnded(): Promise<void> {
  const { documents } = phone.work;
  const over = new Set(of(documents, 'day').flatMap(({ done }) => done.map((job) => job.id)));
  const words = new Set(
    forms(documents)
      .filter((form) => form.beside.length > 0)
      .map((form) => form.name),
  );
  const ended = phone.open.filter((key) => {
    const [, id = '', form = ''] = key.split(':');
    return over.has(id) && !words.has(form);
  });
  if (ended.length === 0) return;
  for (const key of ended) await phone.drafts.drop(phone.person_id, key);
  await phone.look();
}
