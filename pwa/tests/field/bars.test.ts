import { expect, test } from 'vitest';

import { bars } from '../../src/field/flow/bars';

test('bars and gaps follow one another, beginning and ending with a bar', () => {
  expect(bars('211')).toEqual({ bars: [{ x: 0, width: 2 }, { x: 3, width: 1 }], width: 4 }); // prettier-ignore
  expect(bars('')).toEqual({ bars: [], width: 0 });
});
