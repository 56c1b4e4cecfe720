import { expect, test } from 'vitest';

import { playSchedule, type Outcome } from '../support/schedule';

const FIRST_SEED = Number(process.env['SYNC_SEED'] ?? 1);
const SCHEDULES = Number(process.env['SYNC_SCHEDULES'] ?? 300);

/** Each day has a storage, a clock and a network of its own; together they take less time. */
const AT_ONCE = 20;

const TIMEOUT_MS = 60_000 + 1_000 * SCHEDULES;

test(
  'whatever happens, every capture is exactly once where it belongs',
  async () => {
    const outcomes: Outcome[] = [];
    const seeds = Array.from({ length: SCHEDULES }, (_, index) => FIRST_SEED + index).values();
    const play = async (): Promise<void> => {
      for (const seed of seeds) outcomes.push(await playSchedule(seed));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, play));
    const sum = (count: (outcome: Outcome) => number): number =>
      outcomes.reduce((total, outcome) => total + count(outcome), 0);
    const counts =
      `outbox: ${SCHEDULES} schedules from seed ${FIRST_SEED} (SYNC_SEED, SYNC_SCHEDULES): ` +
      `${sum(({ kept }) => kept)} captures, ${sum(({ deaths }) => deaths)} deaths, ` +
      `${sum(({ losses }) => losses)} losses of the storage, ` +
      `${sum(({ faults }) => faults)} faults of the network`;
    process.stdout.write(`${counts}\n`);
    expect(outcomes.filter(({ wrongs }) => wrongs.length > 0)).toEqual([]);
    expect(sum(({ deaths }) => deaths)).toBeGreaterThan(SCHEDULES);
    expect(sum(({ losses }) => losses)).toBeGreaterThan(SCHEDULES / 10);
  },
  TIMEOUT_MS,
);
