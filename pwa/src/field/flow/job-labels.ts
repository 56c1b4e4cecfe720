/** The labels on the boxes of a job: those it is about, those that are loaded, those that are on its van. */

import type { components } from '../../generated/api';
import type { Known } from '../work';
import { toScan } from './cargo';

type Slot = components['schemas']['Slot'];

/** Return the labels on the boxes of a job; for a slot those that it asks for, beside what it has `seen`. */
export function labels(job: Known, slot?: Slot, seen: string[] = []): string[] {
  if (job.kind === 'cargo' && slot?.scan_kind) return toScan(job.body.pieces, slot.scan_kind, seen);
  if (job.kind === 'cargo') return job.body.pieces.map((piece) => piece.label_no);
  if (job.kind === 'stop' || job.kind === 'manifest' || job.kind === 'van_out') {
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
