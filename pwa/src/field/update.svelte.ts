/** A new version that waits: shown on every screen, taken when somebody says so. */

import type { Key } from './i18n/languages';
import { CHECK_MS, Updates } from './updates';
import { trusted } from './trusted';

class Update {
  ready = $state(false);
  /** Why it could not be taken just now. */
  said = $state<Key | null>(null);

  #updates = new Updates({
    container: navigator.serviceWorker,
    locks: navigator.locks,
    storage: sessionStorage,
    now: () => Date.now(),
    reload: () => location.reload(),
    ready: () => {
      this.ready = true;
    },
  });

  /** Watch for new versions as long as the page lives. */
  start(): void {
    void this.#updates.start(trusted('/app/sw.js'), '/app/');
    const check = (): void => void this.#updates.check();
    setInterval(check, CHECK_MS);
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') check();
    });
  }

  /** Take it, unless something is not saved or just being sent; then it says so and waits on. */
  async apply(): Promise<void> {
    const applied = await this.#updates.apply();
    this.said =
      applied === 'unsaved' ? 'update_unsaved' : applied === 'sending' ? 'update_sending' : null;
  }
}

export const update = new Update();
