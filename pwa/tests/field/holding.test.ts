import { expect, test } from 'vitest';

import { things } from '../../src/field/flow/holding';

const fridge = { name: 'Refrigerator', quantity: 1 };
const kettle = { name: 'Kettle', quantity: 2 };

test('goods are counted over all parcels of the van', () => {
  expect(things([{ goods: [fridge, kettle] }, { goods: [fridge] }])).toEqual([
    { name: 'Kettle', quantity: 2 },
    { name: 'Refrigerator', quantity: 2 },
  ]);
  expect(things([])).toEqual([]);
});
