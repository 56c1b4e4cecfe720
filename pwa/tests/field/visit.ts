/** A visit as the server tells it, with the goods that a test needs. */

import type { components } from '../../src/generated/api';
import type { Known } from '../../src/field/work';

type Schemas = components['schemas'];
type Line = Schemas['UnitCard'];
type Item = Schemas['Item'];
export type Visit = Extract<Known, { kind: 'visit' }>;

export const item = (id: string, kind: Item['kind']): Item => ({ id, kind, text: id });

/** Goods of a line; with items they have a checklist. */
export function line(id: string, other: Partial<Line> = {}, items: Item[] = []): Line {
  const checklist = {
    title: id,
    minutes: 60,
    items,
    photo_slots: ['before', 'after'],
    demo_topics: [{ id: 'modes', text: 'Modes' }],
  };
  return {
    fulfilment_line_id: id,
    sku: id,
    model: id,
    quantity: 1,
    serialised: false,
    serials: [],
    plug_in_after: null,
    warranty_months: 0,
    checklist_id: items.length > 0 ? `list of ${id}` : null,
    checklist: items.length > 0 ? checklist : null,
    photo_slots: ['before', 'after'],
    ...other,
  };
}

export function visit(units: Line[], other: Partial<Visit['body']> = {}): Visit {
  const body = { id: 'v', number: 'DS-1', state: 'started', missing_part: false, units, ...other };
  return { kind: 'visit', id: 'v', body } as unknown as Visit;
}
