import { expect, test } from 'vitest';

import { countdown, secondsLeft } from '../../src/field/flow/offered';

const ENDS = '2026-11-27T10:03:00Z';
const HEARD = { server_at: '2026-11-27T10:00:00Z', server_mono_ms: 5_000 };

test('what is left follows the server, whatever the wall clock of the phone says', () => {
  const stamp = { captured_at: '2026-12-24T00:00:00Z', mono_ms: 65_000, ...HEARD };
  expect(secondsLeft(ENDS, stamp)).toBe(120);
  expect(secondsLeft(ENDS, { ...stamp, mono_ms: 600_000 })).toBe(0);
});

test('a phone that has not heard the server goes by its own clock', () => {
  const stamp = { mono_ms: 1, server_at: null, server_mono_ms: null };
  expect(secondsLeft(ENDS, { ...stamp, captured_at: '2026-11-27T10:02:30.5Z' })).toBe(30);
});

test('seconds have two digits', () => {
  expect([125, 60, 9, 0].map(countdown)).toEqual(['2:05', '1:00', '0:09', '0:00']);
});
