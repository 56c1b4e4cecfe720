/** What pages and their service worker say to each other. */

/** A worker that hears this takes over from the one before it. */
export const TAKE_OVER = 'TAKE_OVER';

/** A worker that hears this takes over the pages that have none. */
export const CLAIM = 'CLAIM';

/** A page that hears this shows the job that a notification is about. */
export const OPEN = 'OPEN';

/** A page that hears this asks the server what is new. */
export const LOOK = 'LOOK';

/** The tag under which the browser wakes the worker once there is a signal, the page closed. */
export const BACKGROUND_TAG = 'doorstep-sync';

export type Word =
  { type: typeof TAKE_OVER | typeof CLAIM | typeof LOOK } | { type: typeof OPEN; lane: string };
