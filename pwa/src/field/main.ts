/** The page of the field app; so far it has no face, and keeps outbox and worker going. */

import { startField } from './running';
import { CHECK_MS, Updates } from './updates';
import { SCOPE, workerUrl } from './worker-url';

const updates = new Updates({
  container: navigator.serviceWorker,
  locks: navigator.locks,
  storage: sessionStorage,
  now: () => Date.now(),
  reload: () => location.reload(),
  ready: () => undefined,
});
void updates.start(workerUrl(), SCOPE);
setInterval(() => void updates.check(), CHECK_MS);
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') void updates.check();
});
startField();
