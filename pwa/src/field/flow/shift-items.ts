/** The words of an end-of-shift check: Doorstep's own items in the language of the person. */

import type { components } from '../../generated/api';
import type { Key } from '../i18n/languages';

type Item = components['schemas']['AskedItem'];

const OURS: Readonly<Record<string, Key>> = {
  labels: 'shift_item_labels',
  ribbon: 'shift_item_ribbon',
  scanners: 'shift_item_scanners',
  chargers: 'shift_item_chargers',
  cash_float: 'shift_item_cash_float',
  van_stock: 'shift_item_van_stock',
  tool_kit: 'shift_item_tool_kit',
};

/** Name the text of an item; null where a location has words of its own, or the office knows more. */
export function itemKey(item: Item): Key | null {
  return item.usual ? (OURS[item.code] ?? null) : null;
}
