/** What the end-to-end tests do in place of a screen. Only a build with APP_HARNESS has it. */

import type { Capture, Picture } from '../shared/sync/outbox';
import { startField, type Running } from './running';
import { tellServer, type Subscription } from './subscription';
import { holdUnsaved, Updates } from './updates';
import { trusted } from './trusted';

/** A picture as text, since tests speak JSON with the page. */
type Given = Omit<Capture, 'pictures'> & { photo?: string };

const harness = {
  version: APP_VERSION,
  ready: 0,
  field: startField() as Running,
  updates: new Updates({
    container: navigator.serviceWorker,
    locks: navigator.locks,
    storage: sessionStorage,
    now: () => Date.now(),
    reload: () => location.reload(),
    ready: () => {
      harness.ready += 1;
    },
  }),
  holdUnsaved: () => holdUnsaved(navigator.locks),
  /** Headless browsers have no push service to subscribe at: one on loopback stands in for it. */
  subscribed: (to: Subscription) => tellServer(to, (...asked) => harness.field.sync.ask(...asked)),
  /** Capture as a screen does: kept first, then a sync is asked for and not waited for. */
  async capture({ photo, ...given }: Given): Promise<string> {
    const pictures = photo === undefined ? [] : [picture(photo)];
    const event = await harness.field.sync.capture({ ...given, pictures });
    void harness.field.fire('commit');
    return event.event_id;
  },
};

function picture(base64: string): Picture {
  const { buffer } = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return { kind: 'photo', mime: 'image/jpeg', bytes: buffer };
}

declare global {
  interface Window {
    harness: typeof harness;
  }
}

window.harness = harness;
void harness.updates.start(trusted('/app/sw.js'), '/app/');
