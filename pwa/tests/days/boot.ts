/** A life of a page as the app begins it: with the real session keeper and the real keys. */

import { DeviceKeys } from '../../src/shared/sync/device-key';
import type { Ports, Timers } from '../../src/shared/sync/ports';
import { SessionKeeper } from '../../src/shared/sync/session';
import type { Sync } from '../../src/shared/sync/sync';
import type { Device } from '../support/device';
import type { Life } from '../support/life';

export interface Page {
  sync: Sync;
  keeper: SessionKeeper;
  life: Life;
}

/** Boot on what earlier lives have left; `after` are the pauses and timeouts of its requests. */
export function boot(
  device: Device,
  killAt: number | null,
  { after, ...given }: Timers & Partial<Pick<Ports, 'clock' | 'app_version'>>,
): Page {
  const made: Partial<Page> = {};
  const database = (): Sync['database'] => (made as Page).sync.database;
  const booted = device.boot(killAt, (ports, life) => {
    const keys = new DeviceKeys(crypto.subtle, database);
    const own = { ...given, timers: { after }, boot: crypto.randomUUID() };
    made.keeper = new SessionKeeper({ ...ports, ...own }, database, keys);
    const of = life.mortal(async (person_id: string) => {
      const sign = await keys.of(person_id);
      return sign === null ? null : life.mortal(sign);
    });
    return { ...own, sessions: made.keeper, signer: { of } };
  });
  return Object.assign(made, booted) as Page;
}
