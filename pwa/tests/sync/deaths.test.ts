import { expect, test } from 'vitest';

import { capture, PERSON, phone, picture, runToTheEnd } from '../support/captures';

test('a page that dies at any step of capture and sync loses and doubles nothing', async () => {
  let deaths = 0;
  for (let killAt = 1; ; killAt += 1) {
    const device = phone();
    const { sync, life } = device.boot(killAt);
    const pictures = [picture('preview', 2_000), picture('photo', 40_000)];
    const kept: string[] = [];
    const work = async (): Promise<void> => {
      for (const [lane, verdict] of [
        ['stop:1', 'applied'],
        ['stop:1', 'rejected'],
        ['stop:2', 'held'],
      ] as const) {
        const changes = { [`${lane} ${verdict}`]: 'done' };
        const event = await sync.capture(
          capture({ lane, payload: { verdict }, changes, pictures }),
        );
        kept.push(event.event_id);
      }
      await sync.run({ eager: false });
    };
    await work().catch(() => undefined);
    if (!life.dead) break;
    deaths += 1;
    const { sync: next } = device.boot();
    await runToTheEnd(next, device);
    const status = await next.status(PERSON);
    const stored = [...device.server.events.keys()];
    // One may have been kept without its page having lived to say so.
    expect(stored.length - kept.length, `step ${killAt}`).toBeOneOf([0, 1]);
    expect(kept.filter((id) => !stored.includes(id))).toEqual([]);
    expect((await next.state(PERSON)).size).toBe(stored.length);
    expect(status.confirmed + status.needs_attention).toBe(stored.length);
    expect(status.pictures_confirmed).toBe(stored.length === 0 ? 0 : 2);
    expect([status.waiting.count, status.pictures_waiting.count]).toEqual([0, 0]);
    expect(device.server.wrongs).toEqual([]);
  }
  process.stdout.write(
    `outbox: died at each of ${deaths} steps of three captures and their sync\n`,
  );
  expect(deaths).toBeGreaterThan(100);
});
