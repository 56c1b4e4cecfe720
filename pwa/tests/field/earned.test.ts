/** A person's earnings by day and week: what is told is what the lines make. */

import { expect, test } from 'vitest';

import { dayOf, hours, monday, total, weeks, type Day } from '../../src/field/flow/earned';

function day(on: string, ...amounts: number[]): Day {
  return {
    day: on,
    lines: amounts.map((amount_minor, n) => ({
      work_id: `${on}-${n}`,
      kind: 'delivery',
      n: 1,
      number: 'DS-000001',
      minutes: null,
      currency: n === 2 ? 'KWD' : 'AED',
      amount_minor,
      reason: amount_minor < 0 ? 'not_accepted' : 'done',
      words: '',
      worked_at: `${on}T08:00:00Z`,
    })),
  };
}

test('what was taken back is no part of the sum, and currencies are not mixed', () => {
  expect(total(day('2026-11-27', 1250, -1250, 3500).lines)).toEqual([
    { minor: 0, currency: 'AED' },
    { minor: 3500, currency: 'KWD' },
  ]);
  expect(total([])).toEqual([]);
});

test('a week begins on Monday, also over the end of a year', () => {
  expect(monday('2026-11-27')).toBe('2026-11-23');
  expect(monday('2026-11-23')).toBe('2026-11-23');
  expect(monday('2026-11-29')).toBe('2026-11-23');
  expect(monday('2027-01-01')).toBe('2026-12-28');
});

test('days stand in their week, the newest first, and older ones in neither', () => {
  const days = ['2026-11-15', '2026-11-16', '2026-11-22', '2026-11-23', '2026-11-27'];
  const both = weeks(
    days.map((on) => day(on, 1)),
    '2026-11-27',
  );
  expect(both.current.map((one) => one.day)).toEqual(['2026-11-27', '2026-11-23']);
  expect(both.last.map((one) => one.day)).toEqual(['2026-11-22', '2026-11-16']);
});

test('a day is that of the phone, and minutes are read as hours', () => {
  const noon = new Date(2026, 10, 27, 12);
  expect(dayOf(noon)).toBe('2026-11-27');
  expect(dayOf(new Date(2026, 10, 27, 0, 1))).toBe('2026-11-27');
  expect(hours(455)).toEqual({ hours: 7, minutes: 35 });
});
