import { expect, test } from 'vitest';

import { isLeftOver } from '../../src/field/flow/left-over';
import type { StoredDocument } from '../../src/shared/sync/schema';

const DAY = 24 * 60 * 60_000;
const NOW = 100 * DAY;
const DOCUMENTS = [
  { person_id: 'p', kind: 'stop', id: '1', body: {} },
] as unknown as StoredDocument[];

function draft(key: string, begun_ms: number | null) {
  return { person_id: 'p', key, value: begun_ms === null ? null : { begun_ms } };
}

test('a draft goes a week after its job, and never before it', () => {
  expect(isLeftOver(draft('stop:1:deliver', 0), DOCUMENTS, NOW)).toBe(false);
  expect(isLeftOver(draft('stop:2:deliver', NOW - 6 * DAY), DOCUMENTS, NOW)).toBe(false);
  expect(isLeftOver(draft('stop:2:deliver', NOW - 8 * DAY), DOCUMENTS, NOW)).toBe(true);
  expect(isLeftOver(draft('stop:2:deliver', null), DOCUMENTS, NOW)).toBe(true);
});

test('what belongs to no job is never left over', () => {
  expect(isLeftOver(draft('none:none:stock_differs', 0), DOCUMENTS, NOW)).toBe(false);
});
