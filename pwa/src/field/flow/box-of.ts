/** Which parcel a label is on, and what is in its box, wherever this phone knows of it. */

import type { StoredDocument } from '../../shared/sync/schema';
import { of } from '../work';
import type { BoxGoods } from './boxes';
import { alike } from './typed';

export interface ParcelBox {
  label_no: string;
  /** The number of its order. */
  number: string;
  /** As far as the packer has said. */
  goods: BoxGoods[];
  /** What was told of it last. */
  reported?: 'damaged' | 'missing' | null;
}

/** Return the box with a label; null where no document of this phone names it. */
export function boxOf(documents: StoredDocument[], label: string): ParcelBox | null {
  return boxes(documents).find((box) => alike(box.label_no, label)) ?? null;
}

function boxes(documents: StoredDocument[]): ParcelBox[] {
  const named = [
    ...of(documents, 'stop').flatMap(({ number, pieces }) => numbered(number, pieces)),
    ...of(documents, 'waiting').flatMap(({ number, pieces }) => numbered(number, pieces)),
    ...of(documents, 'manifest').flatMap((one) => one.pieces),
    ...of(documents, 'cargo').flatMap((one) => one.pieces),
    ...of(documents, 'shift').flatMap((one) => one.loading.pieces),
  ];
  // A server before this version does not tell what is in a box.
  return named.map((box) => ({ ...box, goods: (box.goods as BoxGoods[] | undefined) ?? [] }));
}

function numbered<B>(number: string, pieces: B[]): (B & { number: string })[] {
  return pieces.map((piece) => ({ ...piece, number }));
}
