/** Sends with the page closed: the browser wakes the worker once there is a signal. */

import { BACKGROUND_TAG } from '../shared/browser/between';
import type { Field } from '../shared/browser/field';

/** What the types of the platform do not have yet. */
export interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
  readonly lastChance: boolean;
}

/** Send what is due; as long as something waits the browser is asked to wake us again. */
export function onBackgroundSync(event: SyncEvent, field: () => Field): void {
  if (event.tag === BACKGROUND_TAG) event.waitUntil(sendAll(field()));
}

async function sendAll({ sync }: Field): Promise<void> {
  // A page that is at it does it all; to wait for it would ask for its work twice with each capture.
  const wait = await sync.run({ eager: true, waits: false });
  // A rejection is how the browser learns that it must try again, by its own pauses.
  if (wait !== null) throw new Error(`Something still waits, for ${wait} ms.`);
}
