import { expect, test } from 'vitest';

import { boxOf } from '../../src/field/flow/box-of';
import type { StoredDocument } from '../../src/shared/sync/schema';

const KETTLE = { fulfilment_line_id: 'l', name: 'Kettle', quantity: 1, part: 1, parts: 1 };
const DOCUMENTS = [
  {
    kind: 'stop',
    id: 's',
    body: { number: 'DS-1', pieces: [{ label_no: 'DS1AE-1', goods: [KETTLE] }] },
  },
  { kind: 'waiting', id: 'w', body: { number: 'DS-2', pieces: [{ label_no: 'DS2AE-1' }] } },
  {
    kind: 'cargo',
    id: 'c',
    body: { pieces: [{ label_no: 'DS3AE-1', number: 'DS-3', goods: [] }] },
  },
  {
    kind: 'shift',
    id: 'v',
    body: { loading: { pieces: [{ label_no: 'DS4AE-1', number: 'DS-4', goods: [] }] } },
  },
] as unknown as StoredDocument[];

test('a label is named by its parcel and its goods, whatever job it is on', () => {
  expect(boxOf(DOCUMENTS, 'ds1ae-1')).toMatchObject({ number: 'DS-1', goods: [KETTLE] });
  expect(boxOf(DOCUMENTS, 'DS2AE-1')).toMatchObject({ number: 'DS-2', goods: [] });
  expect(boxOf(DOCUMENTS, 'DS3AE-1')?.number).toBe('DS-3');
  expect(boxOf(DOCUMENTS, 'DS4AE-1')?.number).toBe('DS-4');
});

test('a label that no document names is nobody’s', () => {
  expect(boxOf(DOCUMENTS, '999')).toBeNull();
});
