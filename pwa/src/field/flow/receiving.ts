/** Goods that come in, as far as a phone can judge a code: by the rules of the server's receiving. */

import type { components } from '../../generated/api';
import { received } from './arrived';
import { isTradeNumber } from './typed';

type Arrival = components['schemas']['ExpectedArrivalOut'];
type Line = Arrival['lines'][number];
type Counted = Arrival['scans'][number];

/** One beep as it is captured; `takes_back` names an earlier one that was a mistake. */
export interface Beep {
  scan_uid: string;
  code: string;
  serial?: string;
  quantity: number;
  grade: string;
  captured_at: string;
  takes_back?: string;
}

/** What a phone hears: a code, and of goods with serials the serial beside it. */
export type Heard = Pick<Beep, 'code' | 'serial' | 'quantity'>;

export type Reading =
  | { as: 'right' | 'unsure'; line: Line; heard: Heard }
  | { as: 'serial_needed'; line: Line }
  | { as: 'over' | 'again'; line: Line }
  | { as: 'unknown' | 'barcode_first' };

/** Returned goods alone may be received as scrap. */
const RETURNS: readonly string[] = ['return_to_origin', 'customer_return'];

/** Tell whether goods of an arrival may get a grade. */
export function mayBe(grade: string, arrival: Arrival): boolean {
  return grade !== 'scrap' || RETURNS.includes(arrival.kind);
}

/** Tell what a code is among the goods that are to come in, after what was scanned already. */
export function read(arrival: Arrival, { code, serial, quantity }: Heard): Reading {
  const line = arrival.lines.find((one) => same(one.barcode, code));
  if (line !== undefined) {
    if (line.serialised && serial === undefined) return { as: 'serial_needed', line };
    if (!line.serialised) {
      const heard = { code: line.barcode, quantity };
      return { as: isOpen(arrival, line, quantity) ? 'right' : 'over', line, heard };
    }
    return judged(arrival, line, { code: line.barcode, serial: serial ?? '', quantity: 1 });
  }
  for (const one of arrival.lines) {
    const listed = one.serials.find((known) => same(known, code));
    if (listed !== undefined) return judged(arrival, one, { code: listed, quantity: 1 });
  }
  return { as: mayBeSerial(arrival, code) ? 'barcode_first' : 'unknown' };
}

/** Tell whether a code may be a serial that nobody has announced: goods of which any may come are awaited. */
function mayBeSerial(arrival: Arrival, code: string): boolean {
  if (isTradeNumber(code)) return false;
  return arrival.lines.some(
    (line) => line.serialised && line.serials.length === 0 && isOpen(arrival, line, 1),
  );
}

function judged(arrival: Arrival, line: Line, heard: Heard): Reading {
  const serial = heard.serial ?? heard.code;
  if (arrival.scans.some((scan) => scan.serial !== null && same(scan.serial, serial))) {
    return { as: 'again', line };
  }
  if (!isOpen(arrival, line, 1)) return { as: 'over', line };
  const listed = line.serials.length === 0 || line.serials.some((one) => same(one, serial));
  return { as: listed ? 'right' : 'unsure', line, heard };
}

/** Return what counts of this round, with the beeps of this phone; those known already count once. */
export function counted(arrival: Arrival, beeps: Beep[]): Counted[] {
  const known = new Set(arrival.scans.map((scan) => scan.scan_uid));
  const back = new Set(beeps.map((beep) => beep.takes_back));
  let scans = arrival.scans.filter((scan) => !back.has(scan.scan_uid));
  for (const { scan_uid, code, serial, quantity, grade, takes_back } of beeps) {
    if (takes_back !== undefined || known.has(scan_uid) || back.has(scan_uid)) continue;
    const heard = serial === undefined ? { code, quantity } : { code, serial, quantity };
    const reading = read({ ...arrival, scans }, heard);
    if (reading.as !== 'right' && reading.as !== 'unsure') continue;
    const { line } = reading;
    const number = line.serialised ? (serial ?? code) : null;
    scans = [...scans, { scan_uid, sku: line.sku, serial: number, quantity, grade }];
  }
  return scans;
}

/** Return the codes among these beeps that count nowhere: nobody expects them, or not so many. */
export function aside(arrival: Arrival, beeps: Beep[]): Beep[] {
  const back = new Set(beeps.map((beep) => beep.takes_back));
  const uids = new Set(counted(arrival, beeps).map((scan) => scan.scan_uid));
  return beeps.filter(
    (beep) => beep.takes_back === undefined && !back.has(beep.scan_uid) && !uids.has(beep.scan_uid),
  );
}

function isOpen(arrival: Arrival, line: Line, quantity: number): boolean {
  const { received: is, of } = received(arrival, line.sku);
  return is + quantity <= of;
}

function same(a: string, b: string): boolean {
  return a.toUpperCase() === b.toUpperCase();
}
