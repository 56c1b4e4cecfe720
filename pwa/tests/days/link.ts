/**
 * One picture over a line that carries so many bits a second and drops again and again, to a real API.
 *
 * Time is scaled: a line ten times as fast that drops ten times as often carries as much between two
 * drops, and the phone's own time runs ten times as fast.
 */

import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { setTimeout as rest } from 'node:timers/promises';

import { Device } from '../support/device';
import { Random } from '../support/random';
import { boot } from './boot';
import { RealWay } from './real-way';
import { SlowLine } from './slow-line';
import type { Worker } from './work';

const PATIENCE_MS = 60_000;

interface Plan {
  base_url: string;
  seed: number;
  /** The picture, in base64. */
  jpeg: string;
  worker: Worker;
  bits_per_second: number;
  drop_every_ms: number;
  /** How many times faster than in the world all of it goes. */
  scale: number;
}

const plan = JSON.parse(await text(process.stdin)) as Plan;
const line = new SlowLine(new URL(plan.base_url), {
  bytes_per_ms: (plan.bits_per_second / 8_000) * plan.scale,
  drop_every_ms: plan.drop_every_ms / plan.scale,
});
const way = new RealWay(await line.open(), () => undefined);
const device = new Device(new Random(plan.seed));
const begun = Date.now();
const sent = new Map<string, number>();
device.network = (request) => {
  if (request.method === 'PATCH') {
    const chunk = request.headers['Upload-Offset'] ?? '';
    sent.set(chunk, (sent.get(chunk) ?? 0) + 1);
  }
  return way.deliver(request);
};

const elapsed = (): number => (Date.now() - begun) * plan.scale;
const { sync, keeper } = boot(device, null, {
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms / plan.scale);
    return () => clearTimeout(timer);
  },
  clock: { now: () => begun + elapsed(), mono: elapsed },
});

const { person_id } = plan.worker;
const bytes = Uint8Array.from(Buffer.from(plan.jpeg, 'base64')).buffer;
const sha256 = createHash('sha256').update(new Uint8Array(bytes)).digest('hex');
while ((await keeper.enrol(plan.worker.code, 'phone', '246810')) !== 'ok') await rest(100);
const { event_id } = await sync.capture({
  person_id,
  type: 'goods.unannounced',
  schema: 1,
  lane: 'goods',
  payload: { code: 'link', words: '', photo_sha256: sha256 },
  pictures: [{ kind: 'photo', mime: 'image/jpeg', bytes }],
});
let wait: number | null = 0;
while (wait !== null && Date.now() - begun < PATIENCE_MS) {
  wait = await sync.run({ eager: false });
  await rest((wait ?? 0) / plan.scale);
}
const again = [...sent.values()].reduce((sum, times) => sum + times - 1, 0);
const told = { event_id, sha256, done: wait === null, chunks: sent.size, again };
line.close();
process.stdout.write(`${JSON.stringify({ ...told, drops: line.drops, ms: Date.now() - begun })}\n`);
