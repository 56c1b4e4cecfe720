import { expect, test } from 'vitest';

import { wordOf } from '../../src/field/flow/handover';

const said = (ok: boolean, tries_left: number) => ({ status: 200, body: { ok, tries_left } });

test('the office says whether a code is right, and how often it may still be wrong', () => {
  expect(wordOf(said(true, 5))).toEqual({ is: 'right' });
  expect(wordOf(said(false, 4))).toEqual({ is: 'wrong', left: 4 });
});

test('one that was wrong too often opens nothing, by the last try and after it', () => {
  expect(wordOf(said(false, 0))).toEqual({ is: 'spent' });
  const refused = { status: 409, body: { type: '/problems/code-tries-exhausted' } };
  expect(wordOf(refused)).toEqual({ is: 'spent' });
});

test('what is no answer to the question says nothing of the code', () => {
  expect(wordOf(null)).toEqual({ is: 'later' });
  expect(wordOf({ status: 404, body: { type: '/problems/code-unavailable' } })).toEqual({
    is: 'later',
  });
  expect(wordOf({ status: 502, body: null })).toEqual({ is: 'later' });
});
