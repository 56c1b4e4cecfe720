/** Where the bars of a barcode stand, from the widths of its bars and gaps in turn (Code 128). */

export interface Bar {
  x: number;
  width: number;
}

/** A scanner needs so much white on both sides, in units of the thinnest bar. */
export const QUIET = 10;

/** Return the bars from the first one on, and how wide they are together. */
export function bars(widths: string): { bars: Bar[]; width: number } {
  const found: Bar[] = [];
  let x = 0;
  for (const [n, digit] of [...widths].entries()) {
    const width = Number(digit);
    if (n % 2 === 0) found.push({ x, width });
    x += width;
  }
  return { bars: found, width: x };
}
