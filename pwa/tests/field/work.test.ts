import { expect, test } from 'vitest';

import { badge } from '../../src/field/sending';
import { collect, expected, find, isFarOff, jobs, lines, type Known } from '../../src/field/work';
import type { StoredDocument } from '../../src/shared/sync/schema';
import type { Status } from '../../src/shared/sync/status';

const document = (kind: string, id: string, body: object): StoredDocument =>
  ({ person_id: 'p', kind, id, body }) as StoredDocument;

const stop = (id: string, other: object = {}): StoredDocument =>
  document('stop', id, { number: id, state: 'open', cash_due_minor: 0, currency: 'AED', ...other });

const ADDRESS = {
  name: 'Priya Nair', phone: null, line1: 'Al Wasl Road 214', building: 'Safa Tower', floor: '12',
  flat: '1204', area: 'Al Safa', city: 'Dubai', postcode: '00000', lift: null, lat: null, lng: null,
  instructions: '',
}; // prettier-ignore

test('stops stand as their run drives, before visits by their hour; what is done is gone', () => {
  const documents = [
    document('visit', 'v2', { number: 'A', starts_at: '2026-11-26T12:00:00Z' }),
    document('visit', 'v1', { number: 'B', starts_at: '2026-11-26T09:00:00Z' }),
    stop('s1'),
    stop('s2'),
    stop('s3', { state: 'done' }),
    document('run', 'r', { stop_ids: ['s2', 's3', 's1'] }),
    document('of a later version', 'x', {}),
    document('manifest', 'm', { number: 'M' }),
  ];
  expect(jobs(documents).map((job) => job.id)).toEqual(['m', 's2', 's1', 'v1', 'v2']);
});

test('a stop of a run that has not come stands last', () => {
  const documents = [stop('s9'), stop('s1'), document('run', 'r', { stop_ids: ['s1'] })];
  expect(jobs(documents).map((job) => job.id)).toEqual(['s1', 's9']);
});

test('money is added up by currency, of open doors alone', () => {
  const documents = [
    stop('a', { cash_due_minor: 100 }),
    stop('b', { cash_due_minor: 250 }),
    stop('c', { cash_due_minor: 1_500, currency: 'KWD' }),
    stop('d', { cash_due_minor: 900, state: 'failed' }),
  ];
  expect(collect(jobs(documents))).toEqual([
    { minor: 350, currency: 'AED' },
    { minor: 1_500, currency: 'KWD' },
  ]);
});

test('an address says nothing twice, and no postcode of noughts', () => {
  expect(lines(ADDRESS)).toEqual(['Al Wasl Road 214', 'Safa Tower · 12 · 1204', 'Al Safa, Dubai']);
  const whole = { ...ADDRESS, line1: 'Al Wasl Road 214, Safa Tower, floor 12, flat 1204' };
  expect(lines(whole)).toEqual([whole.line1, 'Al Safa, Dubai']);
  const low = { ...ADDRESS, building: 'Tower', floor: '2', flat: '14' };
  expect(lines(low)[1]).toBe('Tower · 2 · 14');
  expect(lines({ ...ADDRESS, line1: '12 Marina Walk', building: '', flat: '' })[1]).toBe('12');
  expect(lines({ ...ADDRESS, postcode: '682001' }).at(-1)).toBe('Al Safa, Dubai, 682001');
});

test('a job is found by kind and id, and one that is taken away is not', () => {
  expect(find([stop('a')], 'stop', 'a')?.id).toBe('a');
  expect(find([stop('a')], 'visit', 'a')).toBeNull();
});

const status = (other: Partial<Status>): Status => ({
  waiting: { count: 0, bytes: 0 },
  sending: { count: 0, bytes: 0 },
  confirmed: 0,
  needs_attention: 0,
  pictures_waiting: { count: 0, bytes: 0 },
  pictures_confirmed: 0,
  oldest_captured_ms: null,
  oldest_at_rest_ms: null,
  problems: [],
  ...other,
});

test.each([
  [{}, false, 'badge_nothing', 0],
  [{ confirmed: 1 }, false, 'badge_confirmed', 0],
  [{ pictures_confirmed: 1 }, false, 'badge_confirmed', 0],
  [
    { waiting: { count: 2, bytes: 9 }, pictures_waiting: { count: 1, bytes: 9 } },
    false,
    'badge_waiting',
    3,
  ],
  [{ waiting: { count: 2, bytes: 9 } }, true, 'badge_sending', 2],
  [{ sending: { count: 1, bytes: 9 } }, false, 'badge_sending', 1],
  [{ needs_attention: 1, waiting: { count: 5, bytes: 9 } }, true, 'badge_attention', 1],
] as const)('%j is shown in a word', (given, busy, words, count) => {
  expect(badge(status(given), busy, 0)).toMatchObject({ words, count });
});

test('what is begun and not handed in is not confirmed; what waits is told before it', () => {
  expect(badge(status({ confirmed: 1 }), false, 2)).toMatchObject({
    words: 'badge_begun',
    count: 2,
    tone: 'waiting',
  });
  expect(badge(status({ waiting: { count: 1, bytes: 9 } }), false, 2).words).toBe('badge_waiting');
});

const waited = (kind: string, body: object): ReturnType<typeof expected> =>
  expected({ kind, id: 'x', body } as unknown as Known);

test('a customer waits in the window of the visit, or in the one that was promised of a delivery', () => {
  const window = { from_at: '2026-11-27T10:00:00Z', until_at: '2026-11-27T12:00:00Z' };
  expect(waited('visit', { starts_at: window.from_at, ends_at: window.until_at })).toEqual(window);
  expect(waited('stop', { window })).toEqual(window);
  expect(waited('stop', { window: null })).toBeNull();
  expect(waited('stop', {})).toBeNull();
  expect(waited('count', {})).toBeNull();
});

const visit = (starts_at: string): Known =>
  ({ kind: 'visit', id: 'v', body: { starts_at, ends_at: starts_at } }) as unknown as Known;

test('a job is far off until shortly before its hour; one without an hour never is', () => {
  const now = Date.parse('2026-11-26T08:00:00Z');
  expect(isFarOff(visit('2026-11-26T14:00:00Z'), now)).toBe(true);
  expect(isFarOff(visit('2026-11-26T08:30:00Z'), now)).toBe(false);
  expect(isFarOff(visit('2026-11-26T06:00:00Z'), now)).toBe(false);
  expect(isFarOff({ kind: 'stop', id: 's', body: {} } as unknown as Known, now)).toBe(false);
});
