import { expect, test } from 'vitest';

import { isEasy } from '../../src/field/flow/digits';

test('one digit and rows of digits are easy to guess, others are not', () => {
  for (const pin of ['000000', '123456', '987654']) expect(isEasy(pin), pin).toBe(true);
  for (const pin of ['246810', '482915', '112233', '123457', '']) {
    expect(isEasy(pin), pin).toBe(false);
  }
});
