/** Whether this phone may tell of new work while the app is closed; its person says so by a tap. */

import { phone } from './phone.svelte';
import { pushKey } from './subscription';

class Notices {
  /** `default`: nobody was asked yet. A browser without notifications counts as one that says no. */
  allowed = $state<NotificationPermission>(
    'Notification' in globalThis ? Notification.permission : 'denied',
  );

  /** Have the browser ask, if the office sends any; false when that cannot be found out now. */
  async ask(): Promise<boolean> {
    if ((await pushKey(phone.ask.bind(phone))) === null) return false;
    this.allowed = await Notification.requestPermission();
    await phone.subscribe();
    return true;
  }
}

export const notices = new Notices();
