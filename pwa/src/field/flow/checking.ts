/**
 * The check of a parcel by scan, as far as a phone can judge it: the same rules as the server's
 * (`modules/wms/rules`), which has the last word since it alone knows every serial.
 */

import type { components } from '../../generated/api';
import { isTradeNumber } from './typed';

type PickList = components['schemas']['PickListOut'];

/** One beep as it is captured. */
export interface Scan {
  scan_uid: string;
  code: string;
  captured_at: string;
}

export type CodeKind = 'barcode' | 'serial' | 'accessory';

/** A right code, written as the list writes it; a serial that is not in it is `unsure`. */
interface Right {
  right: true;
  kind: CodeKind;
  sku: string;
  code: string;
  unsure: boolean;
}

/** A code that does not count. What is not part of the parcel is told to the office, a repeat is not. */
interface Wrong {
  right: false;
  why: 'unknown' | 'enough' | 'again';
}

export type Reading = Right | Wrong;

/** So many codes of a product; a serial may be any. */
export interface Wanted {
  kind: CodeKind;
  sku: string;
  name: string;
  count: number;
  code: string | null;
}

/** Tell what a code is among the goods of a list, after what was scanned already. */
export function read(list: PickList, code: string): Reading {
  const known = wanted(list).filter((one) => one.code !== null && same(one.code, code));
  const [one] = known;
  if (one !== undefined) {
    if (open(list, one) === 0) return { right: false, why: 'enough' };
    return { right: true, kind: one.kind, sku: one.sku, code: one.code ?? code, unsure: false };
  }
  return serial(list, code);
}

function serial(list: PickList, code: string): Reading {
  if (list.scans.some((scan) => scan.kind === 'serial' && same(scan.code, code))) {
    return { right: false, why: 'again' };
  }
  const lines = list.lines.filter((line) => line.serialised);
  const free = lines.filter((line) => openSerials(list, line.sku) > 0);
  for (const line of lines) {
    const listed = line.serials.find((one) => same(one, code));
    if (listed === undefined) continue;
    if (!free.includes(line)) return { right: false, why: 'enough' };
    return { right: true, kind: 'serial', sku: line.sku, code: listed, unsure: false };
  }
  const line = free.find((one) => looksLikeSerial(code, one.serials));
  if (line === undefined) return { right: false, why: 'unknown' };
  return { right: true, kind: 'serial', sku: line.sku, code, unsure: true };
}

/** Count what was scanned, of all that there is to scan. */
export function tally(list: PickList): { done: number; of: number } {
  const all = wanted(list);
  const of = all.reduce((sum, one) => sum + one.count, 0);
  return { of, done: of - all.reduce((sum, one) => sum + open(list, one), 0) };
}

/** List what was not scanned yet. */
export function missing(list: PickList): Wanted[] {
  return wanted(list)
    .map((one) => ({ ...one, count: open(list, one) }))
    .filter((one) => one.count > 0);
}

/** List what is to be scanned: of each product its barcodes, serials and accessories. */
export function wanted({ lines }: PickList): Wanted[] {
  const products = new Map(lines.map((line) => [line.sku, line]));
  return [...products.values()].flatMap(({ sku, name, ...line }) => {
    const count = lines
      .filter((one) => one.sku === sku)
      .reduce((sum, one) => sum + one.quantity, 0);
    const all: Wanted[] = [{ kind: 'barcode', sku, name, count, code: line.barcode }];
    if (line.serialised) all.push({ kind: 'serial', sku, name, count, code: null });
    for (const { code = '', name: called = code } of line.accessories) {
      all.push({ kind: 'accessory', sku, name: called, count, code });
    }
    return all;
  });
}

function open(list: PickList, { kind, sku, count, code }: Wanted): number {
  const seen = list.scans.filter(
    (scan) => scan.kind === kind && scan.sku === sku && (code === null || same(scan.code, code)),
  );
  return Math.max(0, count - seen.length);
}

function openSerials(list: PickList, sku: string): number {
  return wanted(list)
    .filter((one) => one.kind === 'serial' && one.sku === sku)
    .reduce((sum, one) => sum + open(list, one), 0);
}

/**
 * Tell whether a code may be a serial beside the listed ones: as long, and with letters and digits
 * where any of them has such. A number of trade is the barcode of something else.
 */
function looksLikeSerial(code: string, listed: string[]): boolean {
  if (isTradeNumber(code)) return false;
  const alike = listed.filter((one) => one.length === code.length);
  const fits = [...code].every((mark, n) => alike.some((one) => sort(one[n]) === sort(mark)));
  return listed.length === 0 || (alike.length > 0 && fits);
}

function sort(mark = ''): string {
  if (/[0-9]/.test(mark)) return 'digit';
  return /[A-Za-z]/.test(mark) ? 'letter' : mark;
}

function same(a: string, b: string): boolean {
  return a.toUpperCase() === b.toUpperCase();
}
