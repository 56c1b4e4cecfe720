/** The boxes of a parcel: what the goods make of themselves, and what a person may make of them. */

import type { components } from '../../generated/api';
import { latin } from './digits';

type PickList = components['schemas']['PickListOut'];
export type Box = components['schemas']['PackedPiece'];

/** List the boxes that the goods make, in the order of their labels. */
export function boxesOf(list: PickList): Box[] {
  return list.lines.flatMap(({ pieces, weight_g, length_mm, width_mm, height_mm }) =>
    Array.from({ length: pieces }, () => ({ weight_g, length_mm, width_mm, height_mm })),
  );
}

/** The most that stands on a scale and beside a ruler, as the server takes it. */
export const HEAVIEST_G = 2_000_000;
export const LONGEST_MM = 20_000;

/** Tell whether a box has a weight and three sizes that can be. */
export function isMeasured({ weight_g, length_mm, width_mm, height_mm }: Box): boolean {
  return (
    fits(weight_g, HEAVIEST_G) &&
    [length_mm, width_mm, height_mm].every((size) => fits(size, LONGEST_MM))
  );
}

function fits(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}

/** Read a measure as it is typed, in grams or millimetres; 0 for what is none. */
export function measureOf(text: string, unit: number): number {
  const value = Number(latin(text).replace(/[٫,]/, '.'));
  return Number.isFinite(value) ? Math.round(value * unit) : 0;
}
