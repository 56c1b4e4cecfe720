/**
 * Plays device-days against a real API and writes what was captured, one line of JSON for each.
 *
 * The plan comes on the standard input; the counts go to the standard output when all is done.
 */

import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { Phone, type Left } from './phone';
import { Travels, type Leg } from './travels';
import type { Worker } from './work';

/** After so many days a phone hands in everything, and the list is written down. */
const DAYS_BETWEEN_DRAINS = 10;

interface Plan {
  base_url: string;
  seed: number;
  days: number;
  /** A picture of some 2 kB, in base64. */
  jpeg: string;
  workers: Worker[];
  /** The ways of orders, each as what is captured on it in turn. */
  travels: Leg[][];
  /** Where the list of captures goes. */
  told: string;
}

const plan = JSON.parse(await text(process.stdin)) as Plan;
const jpeg = Buffer.from(plan.jpeg, 'base64');
const list = createWriteStream(plan.told);
const travels = new Travels(plan.travels, plan.days);
const left = new Set<string>();
const totals: Record<string, number> = { kept: 0, pictures: 0 };
let next = 0;

await Promise.all(plan.workers.map(play));
list.end();
await once(list, 'finish');
process.stdout.write(`${JSON.stringify({ totals, left: [...left] })}\n`);

async function play(worker: Worker, index: number): Promise<void> {
  const phone = new Phone(plan.seed * 1_000 + index, worker, `phone-${index}`, plan.base_url);
  await phone.enrol();
  while (next < plan.days) {
    for (let days = 0; days < DAYS_BETWEEN_DRAINS && next < plan.days; days += 1) {
      next += 1;
      await phone.work(next, jpeg, travels);
    }
    const drained = await phone.drain();
    for (const one of named(drained.left)) left.add(one);
    for (const one of drained.told) {
      count('kept', 1);
      count('pictures', one.pictures.length);
      if (!list.write(`${JSON.stringify(one)}\n`)) await once(list, 'drain');
    }
  }
  for (const [name, number] of Object.entries(phone.counts)) count(name, number);
  for (const [name, number] of phone.network.faults) count(name, number);
  count('refusals', phone.way.refusals);
  count('cut_uploads', phone.way.cutUploads);
}

function count(name: string, number: number): void {
  totals[name] = (totals[name] ?? 0) + number;
}

/** Name what a phone still holds and should not: all but what it shows as refused by the server. */
function named({ entries, media, quarantine }: Left): string[] {
  return [
    ...entries.map((entry) => `${entry.event.type} ${entry.event_id} waits`),
    ...media.map((one) => `picture ${one.sha256} waits: ${one.problem}`),
    ...quarantine
      .filter((row) => row.receipt?.verdict !== 'rejected')
      .map((row) => `${row.event.type} ${row.event_id} is in quarantine: ${row.reason}`),
  ];
}
