/** How much of an arrival is in: what is booked, and what is scanned and not booked yet. */

import type { components } from '../../generated/api';

type Arrival = components['schemas']['ExpectedArrivalOut'];

/** Tell how many pieces of a product are in, with those that are scanned and not booked yet. */
export function received(arrival: Arrival, sku: string): { received: number; of: number } {
  const lines = arrival.lines.filter((line) => line.sku === sku);
  const booked = lines.reduce((sum, line) => sum + line.received, 0);
  const scans = arrival.scans.filter((scan) => scan.sku === sku);
  return {
    received: booked + scans.reduce((sum, scan) => sum + scan.quantity, 0),
    of: lines.reduce((sum, line) => sum + line.quantity, 0),
  };
}

/** Tell whether everything that is expected was scanned. */
export function isAllIn(arrival: Arrival): boolean {
  return arrival.lines.every(({ sku }) => {
    const { received: is, of } = received(arrival, sku);
    return is >= of;
  });
}
