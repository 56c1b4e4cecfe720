/** What the office decided stands on the day's list until it was read; what is open stays there. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { readDecisions, toLookAt } from '../../src/field/flow/decided';
import type { Bodies } from '../../src/field/work';

const kept = new Map<string, string>();

beforeEach(() => {
  kept.clear();
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
  });
});
afterEach(() => vi.unstubAllGlobals());

function proof(pod_id: string, counts: boolean): Bodies['proof'] {
  return { pod_id, counts } as Bodies['proof'];
}

test('a proof that counts is looked at once, one that does not count until it does', () => {
  const [refused, allowed] = [proof('a', false), proof('b', true)];
  expect(toLookAt([refused, allowed])).toEqual([refused, allowed]);
  readDecisions([refused, allowed]);
  expect(toLookAt([refused, allowed])).toEqual([refused]);
  expect(toLookAt([proof('a', true)])).toHaveLength(1);
});
