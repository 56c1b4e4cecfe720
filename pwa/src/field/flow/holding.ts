/** What a crew holds, counted over its parcels. */

import type { Bodies } from '../work';

type Held = Bodies['shift']['holding']['parcels'][number];

export interface Thing {
  name: string;
  quantity: number;
}

/** Count the goods of all parcels together, by their name. */
export function things(parcels: Pick<Held, 'goods'>[]): Thing[] {
  const counted = new Map<string, number>();
  for (const { name, quantity } of parcels.flatMap((parcel) => parcel.goods)) {
    counted.set(name, (counted.get(name) ?? 0) + quantity);
  }
  return [...counted]
    .map(([name, quantity]) => ({ name, quantity }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
