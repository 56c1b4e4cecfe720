import { readFileSync } from 'node:fs';

import { expect, test, vi } from 'vitest';

import { compile, type Written } from '../../build/messages';
import { CODES } from '../../src/field/i18n/languages';

type Token = string | [string, string?, Record<string, Token[]>?];

const written = (code: string): Written =>
  JSON.parse(
    readFileSync(new URL(`../../src/field/i18n/${code}.json`, import.meta.url), 'utf8'),
  ) as Written;

/** Collect what stands in the braces of a message, also inside of its plurals. */
function places(tokens: unknown): string[] {
  const found = new Set<string>();
  const walk = (all: Token[]): void => {
    for (const token of all) {
      if (typeof token === 'string') continue;
      found.add(token[0]);
      for (const choice of Object.values(token[2] ?? {})) {
        if (Array.isArray(choice)) walk(choice);
      }
    }
  };
  if (Array.isArray(tokens)) walk(tokens as Token[]);
  // `#` is the number of the plural around it.
  return [...found].filter((name) => name !== '#').toSorted();
}

function plurals(tokens: unknown): string[][] {
  if (!Array.isArray(tokens)) return [];
  return (tokens as Token[])
    .filter((token): token is [string, string, Record<string, Token[]>] => token[1] === 'plural')
    .map((token) => Object.keys(token[2]));
}

const english = compile(written('en'));

test.each(CODES)('%s says everything, with everything that belongs into it', (code) => {
  const texts = written(code);
  expect(Object.keys(texts)).toEqual(Object.keys(texts).toSorted());
  const compiled = compile(texts);
  expect(Object.keys(compiled)).toEqual(Object.keys(english));
  for (const [name, tokens] of Object.entries(compiled)) {
    expect([name, places(tokens)]).toEqual([name, places(english[name])]);
  }
});

test.each(CODES)('%s has a form for each of its plurals', (code) => {
  const needed = new Intl.PluralRules(code).resolvedOptions().pluralCategories;
  for (const [name, tokens] of Object.entries(compile(written(code)))) {
    for (const forms of plurals(tokens)) {
      expect([name, forms]).toEqual([name, expect.arrayContaining([...needed])]);
    }
  }
});

test.each(CODES.slice(1))('%s is not left in English', (code) => {
  const texts = written(code);
  const same = Object.entries(written('en')).filter(([name, text]) => texts[name] === text);
  expect(same).toEqual([]);
});

test('a text that cannot be read is named', () => {
  vi.spyOn(console, 'error').mockReturnValue();
  expect(() => compile({ fine: 'Yes', broken: '{count, plural,' })).toThrow(/^broken: /);
});
