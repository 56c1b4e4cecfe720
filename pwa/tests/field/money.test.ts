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

test('a comma is a point where it stands before the decimals, and parts thousands elsewhere', () => {
  expect(minorOf('60,5', 'AED')).toBe(60_50);
  expect(minorOf('103,95', 'AED')).toBe(103_95);
  expect(minorOf('1,353', 'AED')).toBe(1_353_00);
  expect(minorOf('1,00,000.50', 'INR')).toBe(100_000_50);
  // Three decimals, or a thousand: nobody knows, so it is asked again.
  expect(minorOf('1,250', 'KWD')).toBeNull();
  expect(minorOf('1,25', 'KWD')).toBe(1_250);
  expect([minorOf('1,2,3', 'AED'), minorOf('12,3456', 'AED')]).toEqual([null, null]);
});
