/** Outbox, sync and sessions of this phone, as a page and the service worker open them alike. */

import { DeviceKeys } from '../sync/device-key';
import type { Ports } from '../sync/ports';
import { SessionKeeper } from '../sync/session';
import { Sync } from '../sync/sync';
import { browserPorts } from './ports';

/** The tag under which the browser wakes the worker once there is a signal, the page closed. */
export const BACKGROUND_TAG = 'doorstep-sync';

export interface Field {
  sync: Sync;
  sessions: SessionKeeper;
}

/** Open the phone's database, once per page or worker. */
export function openField(app_version: string): Field {
  const world = browserPorts(app_version);
  const keys = new DeviceKeys(crypto.subtle, () => sync.database);
  const sessions = new SessionKeeper(world, () => sync.database, keys);
  const ports: Ports = { ...world, sessions, signer: keys };
  const sync: Sync = new Sync(ports);
  return { sync, sessions };
}
