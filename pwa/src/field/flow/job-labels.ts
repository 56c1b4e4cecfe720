/** The labels on the boxes of a job: those it is about, those that are loaded, those that are on its van. */

import type { components } from '../../generated/api';
import type { Known } from '../work';
import type { BoxGoods } from './boxes';
import { toScan } from './cargo';
import type { Answers, KeptBack } from './forms';

type Slot = components['schemas']['Slot'];
/** A server before this version does not tell what is in a box. */
type Told<B> = Omit<B, 'goods'> & { goods?: BoxGoods[] };
type Box = Told<components['schemas']['PackedBox']> | Told<components['schemas']['PieceToLoad']>;

/** Return the labels on the boxes of a job; for a slot those that it asks for, beside what it has `seen`. */
export function labels(job: Known, slot?: Slot, seen: string[] = []): string[] {
  if (job.kind === 'cargo' && slot?.scan_kind) return toScan(job.body.pieces, slot.scan_kind, seen);
  if (job.kind === 'cargo') return job.body.pieces.map((piece) => piece.label_no);
  if (
    job.kind === 'stop' ||
    job.kind === 'manifest' ||
    job.kind === 'van_out' ||
    job.kind === 'waiting'
  ) {
    return job.body.pieces.map((piece) => piece.label_no);
  }
  if (job.kind === 'shift') return job.body.loading.pieces.map((piece) => piece.label_no);
  return [];
}

/** Return the labels of a job that the server has seen scanned. */
export function loaded(job: Known): string[] {
  if (job.kind !== 'shift') return [];
  return job.body.loading.pieces.filter((piece) => piece.loaded).map((piece) => piece.label_no);
}

/** Return the labels that stand on the van of a shift already. */
export function onVan(job: Known): string[] {
  if (job.kind !== 'shift') return [];
  return [...loaded(job), ...job.body.holding.parcels.flatMap((parcel) => parcel.labels)];
}

/** Return the boxes of a job whose contents its people are told. */
function known(job: Known): Box[] {
  if (job.kind === 'stop' || job.kind === 'manifest' || job.kind === 'cargo')
    return job.body.pieces;
  return job.kind === 'shift' ? job.body.loading.pieces : [];
}

/** Return what is in the box with a label, as far as the packer has said. */
export function goodsIn(job: Known, label: string): BoxGoods[] {
  return known(job).find((box) => box.label_no === label)?.goods ?? [];
}

/** Return the boxes of a parcel in which goods of a line are. */
export function boxesWith(job: Known, line: string): Box[] {
  return known(job).filter((box) => box.goods?.some((one) => one.fulfilment_line_id === line));
}

/**
 * Count the boxes of which nothing is handed over; which of equal ones that are is not said.
 *
 * What is in a box as far as the packer has said; of a box that nobody has described nothing is known.
 * Those that are `gone` are handed over.
 */
export function boxesBack(job: Known, answers: Answers, gone: string[] = []): number {
  if (job.kind !== 'stop') return 0;
  const kept = Array.isArray(answers['kept_back'])
    ? (answers['kept_back'] as unknown as KeptBack[])
    : [];
  const left = new Map(kept.map((one) => [one.fulfilment_line_id, one.quantity]));
  // Small boxes first: one piece that is kept back takes no box of two with it.
  const boxes = job.body.pieces
    .filter((box) => !gone.includes(box.label_no))
    .map((box) => goodsIn(job, box.label_no))
    .filter((goods) => goods.length > 0 && goods.every((one) => one.parts === 1))
    .toSorted((a, b) => amount(a) - amount(b));
  return boxes.filter((goods) => {
    if (!goods.every((one) => (left.get(one.fulfilment_line_id) ?? 0) >= one.quantity))
      return false;
    for (const { fulfilment_line_id: line, quantity } of goods) {
      left.set(line, (left.get(line) ?? 0) - quantity);
    }
    return true;
  }).length;
}

function amount(goods: BoxGoods[]): number {
  return goods.reduce((sum, one) => sum + one.quantity, 0);
}

/** Tell whether nothing of a box is handed over: all of each of its lines is kept back. */
export function staysBack(job: Known, label: string, kept: KeptBack[]): boolean {
  if (job.kind !== 'stop') return false;
  const goods = goodsIn(job, label);
  const whole = new Set(
    job.body.goods
      .filter((line) =>
        kept.some(
          (one) =>
            one.fulfilment_line_id === line.fulfilment_line_id && one.quantity >= line.quantity,
        ),
      )
      .map((line) => line.fulfilment_line_id),
  );
  return goods.length > 0 && goods.every((one) => whole.has(one.fulfilment_line_id));
}
