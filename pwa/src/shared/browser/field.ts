/** Sync and sessions of this phone, as a page and the service worker open them alike. */

import { DeviceKeys } from '../sync/device-key';
import type { Exchange } from '../sync/exchange';
import type { Ports } from '../sync/ports';
import { SessionKeeper } from '../sync/session';
import { browserPorts } from './ports';

export interface Field<S extends Exchange = Exchange> {
  sync: S;
  sessions: SessionKeeper;
}

/** Open the phone's database, once per page or worker, with what it is opened for. */
export function openField<S extends Exchange>(
  app_version: string,
  Made: new (ports: Ports) => S,
  copies: Ports['copies'],
): Field<S> {
  const world = browserPorts(app_version);
  const keys = new DeviceKeys(crypto.subtle, () => sync.database);
  const sessions = new SessionKeeper(world, () => sync.database, keys);
  const ports: Ports = { ...world, sessions, signer: keys, copies };
  const sync: S = new Made(ports);
  return { sync, sessions };
}
