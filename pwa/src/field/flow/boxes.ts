/** The boxes of a parcel: what the goods make of themselves, and what a person may make of them. */

import type { components } from '../../generated/api';
import { latin } from './digits';

type PickList = components['schemas']['PickListOut'];
type PickLine = PickList['lines'][number];
export type Box = components['schemas']['PackedPiece'];
export type BoxGoods = components['schemas']['BoxGoods'];
type Piece = NonNullable<Box['goods']>[number];

/** List the boxes that the goods make, in the order of their labels: each piece in one of its own. */
export function boxesOf(list: PickList): Box[] {
  return list.lines.flatMap((line) =>
    Array.from({ length: line.pieces }, (_, at) =>
      alone(line, { fulfilment_line_id: line.fulfilment_line_id, n: at + 1 }),
    ),
  );
}

function alone(line: PickLine, piece: Piece): Box {
  const { weight_g, length_mm, width_mm, height_mm } = line;
  const size = { weight_g, length_mm, width_mm, height_mm };
  // A server before this version does not name its lines: then nobody says what is in which box.
  return (piece.fulfilment_line_id as unknown) === undefined ? size : { ...size, goods: [piece] };
}

/** Put a piece into another box, or with `to` behind the last into one of its own; no box stays empty. */
export function moved(list: PickList, boxes: Box[], piece: Piece, to: number): Box[] {
  const line = list.lines.find((one) => one.fulfilment_line_id === piece.fulfilment_line_id);
  if (line === undefined) return boxes;
  const isIt = (one: Piece): boolean =>
    one.fulfilment_line_id === piece.fulfilment_line_id && one.n === piece.n;
  const weighed = boxes.map((box, at): Box => {
    const goods = (box.goods ?? []).filter((one) => !isIt(one));
    const left = goods.length < (box.goods ?? []).length;
    if (at === to) {
      return left
        ? box
        : { ...box, weight_g: box.weight_g + line.weight_g, goods: [...goods, piece] };
    }
    return left ? { ...box, goods, weight_g: Math.max(box.weight_g - line.weight_g, 1) } : box;
  });
  const all = to < boxes.length ? weighed : [...weighed, alone(line, piece)];
  return all.filter((box) => (box.goods ?? []).length > 0);
}

/** Put everything into one box: as heavy as all of it, and as long, wide and high as the largest. */
export function inOne(boxes: Box[]): Box[] {
  const most = (size: 'length_mm' | 'width_mm' | 'height_mm'): number =>
    Math.max(...boxes.map((box) => box[size]));
  return [
    {
      weight_g: boxes.reduce((sum, box) => sum + box.weight_g, 0),
      length_mm: most('length_mm'),
      width_mm: most('width_mm'),
      height_mm: most('height_mm'),
      goods: boxes.flatMap((box) => box.goods ?? []),
    },
  ];
}

/** Name a piece of goods as it stands on a list; which of several pieces it is. */
export function nameOf(list: PickList, piece: Piece): string {
  const line = list.lines.find((one) => one.fulfilment_line_id === piece.fulfilment_line_id);
  if (line === undefined) return '';
  const parts = line.pieces / line.quantity;
  return parts > 1 ? `${line.name} ${((piece.n - 1) % parts) + 1}/${parts}` : line.name;
}

/** Say what is in a box that is being packed, the same goods together. */
export function packed(list: PickList, goods: readonly Piece[]): string[] {
  const names = goods.map((piece) => nameOf(list, piece));
  return [...new Set(names)].map(
    (name) => `${names.filter((one) => one === name).length} × ${name}`,
  );
}

/** Say what is in a box; nothing where the packer has not said. */
export function inside(goods: readonly BoxGoods[] | undefined): string {
  return (goods ?? [])
    .map(({ quantity, name, part, parts }) =>
      parts > 1 ? `${quantity} × ${name} ${part}/${parts}` : `${quantity} × ${name}`,
    )
    .join(' · ');
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
