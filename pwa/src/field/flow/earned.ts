/** What a person's work has earned, by day and by week, from the lines that the office has. */

import type { Bodies } from '../work';

export type Day = Bodies['earned_day'];
export type Line = Day['lines'][number];

/** An amount of one currency. */
export interface Sum {
  minor: number;
  currency: string;
}

const DAY_MS = 86_400_000;

/** Add lines up by currency; what was taken back is less than nothing. */
export function total(lines: Line[]): Sum[] {
  const sums = new Map<string, number>();
  for (const { amount_minor, currency } of lines) {
    sums.set(currency, (sums.get(currency) ?? 0) + amount_minor);
  }
  return [...sums].map(([currency, minor]) => ({ minor, currency }));
}

/** Return the Monday of a day (`2026-11-27`). */
export function monday(day: string): string {
  const at = Date.parse(`${day}T00:00:00Z`);
  const since = (new Date(at).getUTCDay() + 6) % 7;
  return iso(at - since * DAY_MS);
}

/** Split the days into this week and the one before, each with the newest day first. */
export function weeks(days: Day[], today: string): { current: Day[]; last: Day[] } {
  const begins = monday(today);
  const before = iso(Date.parse(`${begins}T00:00:00Z`) - 7 * DAY_MS);
  const sorted = days.toSorted((a, b) => (a.day < b.day ? 1 : -1));
  return {
    current: sorted.filter(({ day }) => day >= begins),
    last: sorted.filter(({ day }) => day >= before && day < begins),
  };
}

/** Return a moment's day on this phone's clock. */
export function dayOf(now: Date): string {
  return iso(now.getTime() - now.getTimezoneOffset() * 60_000);
}

/** Split minutes into hours and what is left of them. */
export function hours(minutes: number): { hours: number; minutes: number } {
  return { hours: Math.floor(minutes / 60), minutes: minutes % 60 };
}

function iso(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
