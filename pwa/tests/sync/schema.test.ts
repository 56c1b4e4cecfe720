import { openDB, type IDBPDatabase } from 'idb';
import { expect, test, vi } from 'vitest';

import { DATABASE_NAME, STEPS, type OutboxSchema } from '../../src/shared/sync/schema';
import { captureMany, PERSON, phone, picture, runToTheEnd } from '../support/captures';
import type { Device } from '../support/device';

/** Open the storage of a phone as an app does that knows so many steps. */
async function open(device: Device, steps: number): Promise<IDBPDatabase<OutboxSchema>> {
  vi.stubGlobal('indexedDB', device.storage);
  try {
    return await openDB<OutboxSchema>(DATABASE_NAME, steps, {
      upgrade: (database, from, _to, transaction) => {
        for (const step of STEPS.slice(from, steps)) step(database, transaction);
      },
    });
  } finally {
    vi.unstubAllGlobals();
  }
}

test.each(STEPS.slice(1).map((_, index) => index + 1))(
  'an outbox that was filled at version %i is as full after the later steps, and is sent',
  async (version) => {
    const model = phone();
    const { sync } = model.boot();
    await captureMany(sync, 1, () => ({ pictures: [picture('photo', 1_000)] }));
    await runToTheEnd(sync, model);
    await captureMany(sync, 3, (n) => ({ pictures: [picture('preview', 500 + n)] }));
    const filled = await open(model, STEPS.length);
    const [waits] = await filled.getAll('entry');
    const refused = { reason: 'refused_422', receipt: null, quarantined_at: 1 };
    if (waits !== undefined) await filled.put('quarantine', { ...waits, ...refused });

    const device = phone();
    const early = await open(device, version);
    for (const store of early.objectStoreNames) {
      const keys = await filled.getAllKeys(store);
      for (const [n, row] of (await filled.getAll(store)).entries()) {
        await early.put(store, row, store === 'meta' ? (keys[n] as string) : undefined);
      }
    }
    early.close();
    filled.close();

    const updated = device.boot().sync;
    const status = await updated.status(PERSON);
    expect(status).toEqual(await sync.status(PERSON));
    expect(status).toMatchObject({
      waiting: { count: 3 },
      needs_attention: 1,
      pictures_waiting: { count: 3 },
      pictures_confirmed: 1,
    });
    await runToTheEnd(updated, device);
    expect(await updated.status(PERSON)).toMatchObject({
      waiting: { count: 0 },
      confirmed: 4,
      needs_attention: 1,
      pictures_waiting: { count: 0 },
      pictures_confirmed: 4,
    });
    expect(await updated.quarantine(PERSON)).toHaveLength(1);
  },
);
