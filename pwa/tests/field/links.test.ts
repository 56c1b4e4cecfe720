import { expect, test } from 'vitest';

import { pathOf, standingOf } from '../../src/field/flow/links';

const LINK = {
  amount_minor: 100_00, url: 'https://pay.example/1', expires_at: '2026-11-27T10:00:00Z',
  refused: '', paid_minor: 0, reference: 'DS-1-L1', qr: ['101'],
}; // prettier-ignore
const BEFORE = Date.parse('2026-11-27T09:00:00Z');
const AFTER = Date.parse('2026-11-27T11:00:00Z');
const MADE = { ...LINK, url: '', expires_at: null };

test('a link is coming from the asking on, also before the office knows', () => {
  expect(standingOf(null, false, BEFORE)).toEqual({ is: 'none' });
  expect(standingOf(undefined, true, BEFORE)).toEqual({ is: 'coming' });
  expect(standingOf(MADE, false, BEFORE)).toEqual({ is: 'coming' });
});

test('it can be paid until it has expired, and then another one can be asked for', () => {
  const payable = { is: 'payable', rows: ['101'], minor: 100_00 };
  expect(standingOf(LINK, false, BEFORE)).toEqual(payable);
  expect(standingOf(LINK, false, AFTER)).toEqual({ is: 'none' });
  expect(standingOf(LINK, true, AFTER)).toEqual({ is: 'coming' });
});

test('what the gateway has captured is paid, however old the link is', () => {
  const paid = { is: 'paid', minor: 100_00, reference: 'DS-1-L1' };
  expect(standingOf({ ...LINK, paid_minor: 100_00 }, true, AFTER)).toEqual(paid);
});

test('one that was refused says so until it is asked for again', () => {
  const refused = { ...MADE, refused: 'A connected system refused the request.' };
  expect(standingOf(refused, false, BEFORE)).toEqual({ is: 'refused' });
  expect(standingOf(refused, true, BEFORE)).toEqual({ is: 'coming' });
});

test('dark modules that touch are one bar, at their place', () => {
  expect(pathOf(['1101', '0010'])).toBe('M0 0h2v1h-2zM3 0h1v1h-1zM2 1h1v1h-1z');
});
