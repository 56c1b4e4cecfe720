import { expect, test } from 'vitest';

import { Burst } from '../../src/field/scan/burst';

/** A field for numbers as far as a scanner needs it: what it says, and who hears of it. */
class Field extends EventTarget {
  type = 'number';
  value = '1';
  heard: string[] = [];
  focused = true;

  constructor() {
    super();
    for (const name of ['input', 'change']) {
      this.addEventListener(name, () => this.heard.push(`${name} ${this.value}`));
    }
  }

  blur(): void {
    this.focused = false;
  }
}

function type(burst: Burst, field: Field, keys: string, pause = 8, at = 1_000): (string | null)[] {
  return [...keys.split(''), 'Enter'].map((key, n) => {
    const code = burst.ended({
      target: field,
      key,
      timeStamp: at + n * pause,
      preventDefault: () => undefined,
    } as never);
    if (key.length === 1) field.value = field.value + key;
    return code;
  });
}

test('a barcode that was scanned into a count is a scan, and the count is as before', () => {
  const [burst, field] = [new Burst(), new Field()];
  expect(type(burst, field, '6291100000031').at(-1)).toBe('6291100000031');
  expect(field.value).toBe('1');
  expect(field.heard).toEqual(['input 1', 'change 1']);
  expect(field.focused).toBe(false);
});

test('a count that somebody types is a count, and the next scan goes where scans go', () => {
  const [burst, field] = [new Burst(), new Field()];
  expect(type(burst, field, '12').every((code) => code === null)).toBe(true);
  expect([field.value, field.focused, field.heard]).toEqual(['112', false, []]);
});

test('what was typed before a scan stays', () => {
  const [burst, field] = [new Burst(), new Field()];
  field.value = '';
  type(burst, field, '3');
  expect(field.value).toBe('3');
  expect(type(burst, field, '6291100000031', 8, 9_000).at(-1)).toBe('6291100000031');
  expect(field.value).toBe('3');
});

test('a count that was just typed stays, though its last key was a moment ago', () => {
  const [burst, field] = [new Burst(), new Field()];
  field.value = '';
  burst.ended({
    target: field,
    key: '2',
    timeStamp: 1_000,
    preventDefault: () => undefined,
  } as never);
  field.value = '2';
  expect(type(burst, field, '6291100000031', 8, 1_400).at(-1)).toBe('6291100000031');
  expect([field.value, field.heard.at(-1)]).toEqual(['2', 'change 2']);
});

test('words have fields of their own', () => {
  const [burst, field] = [new Burst(), new Field()];
  field.type = 'text';
  expect(type(burst, field, '6291100000031').every((code) => code === null)).toBe(true);
});
