/** Acknowledgements of notifications wait for a sync that works, and cost nothing else anything. */

import { expect, test } from 'vitest';

import { MOST_ACKS } from '../../src/shared/sync/push-acks';
import { captureMany, PERSON, phone } from '../support/captures';
import { plainNetwork, type Network } from '../support/device';

const ack = (id: string) => ({ id, what: 'shown', at: '2026-11-26T10:00:00Z' }) as const;

/** The server, with a door for acknowledgements that answers so. */
function door(status: number, heard: string[][]): Network {
  return async (request, server) => {
    if (request.url !== '/field/push/acks') return plainNetwork(request, server);
    const { acks } = JSON.parse(String(request.body)) as { acks: { id: string }[] };
    heard.push(acks.map(({ id }) => id));
    return { status };
  };
}

test('they are sent once, also when nothing was captured', async () => {
  const device = phone();
  const { sync } = device.boot();
  const heard: string[][] = [];
  device.network = door(204, heard);
  await sync.acknowledge(PERSON, ack('one'));
  await sync.acknowledge(PERSON, ack('two'));
  await sync.run({ eager: false });
  await sync.run({ eager: false });
  expect(heard).toEqual([['one', 'two']]);
});

test.each([401, 403, 429, 503])(
  'after %s they are sent again, and captures go on',
  async (status) => {
    const device = phone();
    const { sync } = device.boot();
    const heard: string[][] = [];
    device.canRenew = false;
    device.network = door(status, heard);
    await captureMany(sync, 3);
    await sync.acknowledge(PERSON, ack('one'));
    await sync.run({ eager: true });
    expect(await sync.status(PERSON)).toMatchObject({ waiting: { count: 0 }, confirmed: 3 });
    device.network = door(204, heard);
    device.elapsed += 3_600_000;
    await sync.run({ eager: true });
    expect(heard.at(-1)).toEqual(['one']);
  },
);

test('what the server cannot read is let go', async () => {
  const device = phone();
  const { sync } = device.boot();
  const heard: string[][] = [];
  device.network = door(422, heard);
  await sync.acknowledge(PERSON, ack('one'));
  await sync.run({ eager: true });
  await sync.run({ eager: true });
  expect(heard).toHaveLength(1);
});

test('only the newest are kept, and nobody sends what another was shown', async () => {
  const device = phone();
  const { sync } = device.boot();
  const heard: string[][] = [];
  device.network = door(204, heard);
  for (let number = 0; number < MOST_ACKS + 5; number += 1) {
    await sync.acknowledge(PERSON, ack(`n-${number}`));
  }
  await sync.acknowledge('somebody else', ack('other'));
  await sync.run({ eager: true });
  expect(heard).toHaveLength(1);
  expect(heard[0]).toHaveLength(MOST_ACKS);
  expect(heard[0]?.at(-1)).toBe(`n-${MOST_ACKS + 4}`);
  expect(heard.flat()).not.toContain('other');
});
