/** How far a payment link of a stop is, as the office and the gateway have it. */

import type { Bodies } from '../work';

type Link = NonNullable<Bodies['stop']['link']>;

export type Standing =
  | { is: 'none' | 'coming' | 'refused' }
  | { is: 'payable'; rows: string[]; minor: number }
  | { is: 'paid'; minor: number; reference: string };

/** Return how far it is; `asked`: this phone has asked for one of which the office does not know yet. */
export function standingOf(link: Link | null | undefined, asked: boolean, now: number): Standing {
  if (link !== null && link !== undefined) {
    if (link.paid_minor > 0) {
      return { is: 'paid', minor: link.paid_minor, reference: link.reference };
    }
    const over = link.expires_at !== null && Date.parse(link.expires_at) <= now;
    if (link.url !== '' && !over) {
      return { is: 'payable', rows: link.qr, minor: link.amount_minor };
    }
    if (link.refused === '' && !over) return { is: 'coming' };
    if (!asked) return { is: link.refused === '' ? 'none' : 'refused' };
  }
  return { is: asked ? 'coming' : 'none' };
}

/** Draw the dark modules of a QR code as one path, each run of a row as a bar. */
export function pathOf(rows: string[]): string {
  return rows
    .flatMap((row, y) =>
      [...row.matchAll(/1+/g)].map(
        ({ 0: run, index }) => `M${index} ${y}h${run.length}v1h-${run.length}z`,
      ),
    )
    .join('');
}
