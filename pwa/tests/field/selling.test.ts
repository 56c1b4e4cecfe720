import { expect, test } from 'vitest';

import { cost, found, named, priced, set, total, type Price } from '../../src/field/flow/selling';

const price = (id: string, other: Partial<Price> = {}): Price => ({
  id,
  code: id.toUpperCase(),
  names: { en: 'Water hose', hi: 'पानी की नली' },
  unit: 'piece',
  price_minor: 35_01,
  tax_basis_points: 500,
  currency: 'AED',
  sku: null,
  ...other,
});

test('tax is rounded once per line, half up, as the server does it', () => {
  expect(cost(price('a'), 3)).toBe(110_28);
  expect(cost(price('a', { price_minor: 10, tax_basis_points: 500 }), 1)).toBe(11);
  expect(cost(price('a', { price_minor: 9, tax_basis_points: 500 }), 1)).toBe(9);
  expect(cost(price('a', { tax_basis_points: 0 }), 2)).toBe(70_02);
});

test('the largest line is still exact', () => {
  const dear = price('a', { price_minor: 1_000_000_000, tax_basis_points: 10_000 });
  const exact = 1_000_000_000n * 1_000n * 2n;
  expect(BigInt(cost(dear, 1_000))).toBe(exact);
});

test('what is no longer sold at that price costs nothing and is not shown', () => {
  const lines = [
    { price_id: 'a', quantity: 1 },
    { price_id: 'gone', quantity: 5 },
  ];
  expect(priced(lines, [price('a')]).map(({ line }) => line.price_id)).toEqual(['a']);
  expect(total(lines, [price('a')])).toBe(36_76);
});

test('a quantity keeps its place, and none of it takes the line out', () => {
  const two = set(set([], 'a', 1), 'b', 2);
  expect(set(two, 'a', 3)).toEqual([
    { price_id: 'a', quantity: 3 },
    { price_id: 'b', quantity: 2 },
  ]);
  expect(set(two, 'a', 0)).toEqual([{ price_id: 'b', quantity: 2 }]);
});

test('something is found by any of its names and called in the language that is set', () => {
  const prices = [price('hose'), price('drill', { names: { ar: 'ثقب' } })];
  expect(found(prices, 'नली').map((one) => one.id)).toEqual(['hose']);
  expect(found(prices, 'WATER ho').map((one) => one.id)).toEqual(['hose']);
  expect(found(prices, ' ').length).toBe(2);
  expect(named(price('a'), 'hi')).toBe('पानी की नली');
  expect(named(price('a'), 'ml')).toBe('Water hose');
  expect(named(price('a', { names: { ar: 'ثقب' } }), 'ml')).toBe('ثقب');
});
