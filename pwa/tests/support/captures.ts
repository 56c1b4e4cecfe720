/** Captures as the tests make them. */

import type { Capture, Picture } from '../../src/shared/sync/outbox';
import type { Sync } from '../../src/shared/sync/sync';
import type { WireEvent } from '../../src/shared/sync/wire';
import { Device } from './device';
import { Random } from './random';

export const PERSON = 'amal';

let made = 0;

/** A capture of the usual kind, changed where a test says so. */
export function capture(changes: Partial<Capture> = {}): Capture {
  made += 1;
  const { payload, ...others } = changes;
  return {
    person_id: PERSON,
    type: 'pod.record',
    schema: 1,
    lane: 'stop:1',
    ...others,
    payload: { capture: `made-${made}`, person: others.person_id ?? PERSON, ...payload },
  };
}

export function picture(kind: Picture['kind'], length: number, seed = 1): Picture {
  return { kind, mime: 'image/jpeg', bytes: new Random(seed + length).bytes(length) };
}

/** A phone with somebody signed in. */
export function phone(seed = 7): Device {
  const device = new Device(new Random(seed));
  device.signIn(PERSON);
  return device;
}

export async function captureMany(
  sync: Sync,
  count: number,
  change: (index: number) => Partial<Capture> = () => ({}),
): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  for (let index = 0; index < count; index += 1) {
    events.push(await sync.capture(capture(change(index))));
  }
  return events;
}

/** Run until nothing waits, letting the pauses pass. */
export async function runToTheEnd(sync: Sync, device: Device, rounds = 40): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const wait = await sync.run({ eager: false });
    if (wait === null) return;
    device.elapsed += Math.max(wait, 1);
  }
}
