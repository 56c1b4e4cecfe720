import { expect, test } from 'vitest';

import { decimalsOf, minorOf } from '../../src/field/flow/money';

test('an amount is read by the decimals of its currency', () => {
  expect(minorOf('1,353.45', 'AED')).toBe(135_345);
  expect(minorOf('12.5', 'KWD')).toBe(12_500);
  expect(minorOf('12.345', 'KWD')).toBe(12_345);
  expect(minorOf(' 7 ', 'INR')).toBe(700);
  expect([decimalsOf('KWD'), decimalsOf('QAR')]).toEqual([3, 2]);
});

test('what is no amount of the currency is none', () => {
  for (const text of ['', 'ten', '1.234', '-5', '1.2.3', '99999999999999999']) {
    expect(minorOf(text, 'AED'), text).toBeNull();
  }
});

test('digits and marks of an Arabic keyboard are read as well', () => {
  expect(minorOf('١٬٣٥٣٫٤٥', 'AED')).toBe(135_345);
});
