/** What the end-to-end tests do in place of a screen. Only a build with APP_HARNESS has it. */

import { holdUnsaved, Updates } from './updates';
import { SCOPE, workerUrl } from './worker-url';

const harness = {
  version: APP_VERSION,
  ready: 0,
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
};

declare global {
  interface Window {
    harness: typeof harness;
  }
}

window.harness = harness;
void harness.updates.start(workerUrl(), SCOPE);
