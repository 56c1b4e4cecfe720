/** The language that this phone speaks, and how it writes times and money. */

import { setupI18n, type I18n, type Messages } from '@lingui/core';

import { decimalsOf } from '../flow/money';
import { CODES, RIGHT_TO_LEFT, type Code, type Key } from './languages';

const FILES: Record<Code, () => Promise<{ default: unknown }>> = {
  en: () => import('./en.json'),
  hi: () => import('./hi.json'),
  ar: () => import('./ar.json'),
  ur: () => import('./ur.json'),
  ml: () => import('./ml.json'),
  bn: () => import('./bn.json'),
};

const CHOSEN = 'doorstep-language';

class Language {
  code = $state<Code>('en');
  #i18n = $state.raw<I18n>(setupI18n());

  /** Load what was chosen on this phone, or else what its browser speaks. */
  async start(): Promise<void> {
    await this.use(chosen() ?? spoken());
  }

  /** Let a person choose; the phone remembers it. */
  async choose(code: Code): Promise<void> {
    localStorage.setItem(CHOSEN, code);
    await this.use(code);
  }

  async use(code: Code): Promise<void> {
    const messages = (await FILES[code]()).default as Messages;
    this.#i18n = setupI18n({ locale: this.#tag(code), messages: { [this.#tag(code)]: messages } });
    this.code = code;
    document.documentElement.lang = code;
    document.documentElement.dir = RIGHT_TO_LEFT.includes(code) ? 'rtl' : 'ltr';
  }

  /** Tell whether there is a text of this name. */
  has(name: string): name is Key {
    return name in this.#i18n.messages;
  }

  /** Write a text, with what stands in its braces. */
  t(key: Key, values: Record<string, string | number> = {}): string {
    return this.#i18n._(key, values);
  }

  /** Write an hour of this phone's day. */
  time(moment: string | number): string {
    return this.#date(moment, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  }

  /** Write a day, without its year. */
  day(moment: string | number): string {
    return this.#date(moment, { weekday: 'short', day: 'numeric', month: 'short' });
  }

  /** Write an amount of minor units by its currency's own decimals, without those that are zero. */
  money(minor: number, currency: string): string {
    const format = new Intl.NumberFormat(this.#tag(this.code), {
      style: 'currency',
      currency,
      currencyDisplay: 'code',
      trailingZeroDisplay: 'stripIfInteger',
    } as Intl.NumberFormatOptions);
    return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
  }

  /** Write an amount as it is typed into a field, without its currency. */
  plain(minor: number, currency: string): string {
    const decimals = decimalsOf(currency);
    return (minor / 10 ** decimals).toFixed(decimals);
  }

  /** Write several things as one: "a, b and c". */
  list(things: string[]): string {
    return new Intl.ListFormat(this.#tag(this.code)).format(things);
  }

  /** Write an amount of bytes as people read it. */
  size(bytes: number): string {
    const [unit, value] =
      bytes >= 1_000_000_000
        ? ['gigabyte', bytes / 1_000_000_000]
        : bytes >= 1_000_000
          ? ['megabyte', bytes / 1_000_000]
          : ['kilobyte', Math.ceil(bytes / 1_000)];
    const format = { style: 'unit', unit, maximumFractionDigits: 1 } as const;
    return new Intl.NumberFormat(this.#tag(this.code), format).format(value);
  }

  #date(moment: string | number, options: Intl.DateTimeFormatOptions): string {
    return new Intl.DateTimeFormat(this.#tag(this.code), options).format(new Date(moment));
  }

  /** Digits are those of labels and AWBs everywhere. */
  #tag(code: Code): string {
    return `${code}-u-nu-latn`;
  }
}

function chosen(): Code | null {
  const code = localStorage.getItem(CHOSEN);
  return CODES.find((known) => known === code) ?? null;
}

function spoken(): Code {
  for (const wanted of navigator.languages) {
    const found = CODES.find((known) => wanted.toLowerCase().split('-')[0] === known);
    if (found !== undefined) return found;
  }
  return 'en';
}

export const language = new Language();

/** Write a text in the language that is set. */
export const t = (key: Key, values?: Record<string, string | number>): string =>
  language.t(key, values);
