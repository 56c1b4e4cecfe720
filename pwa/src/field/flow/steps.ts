/** How each type of slot is asked; a part is loaded when a form needs it. */

import type { Component } from 'svelte';

import type { Flow } from './flow.svelte';
import type { Slot } from './forms';

/** What a step is given: it answers its slot in the flow, and says when it is done by itself. */
export interface Asking {
  flow: Flow;
  slot: Slot;
  done: () => void;
  /** Goes to another step. */
  go: (name: string) => void;
}

type Part = () => Promise<{ default: Component<Asking> }>;

const PARTS: Partial<Record<Slot['type'], Part>> = {
  agreement: () => import('./steps/Agreement.svelte'),
  answers: () => import('./steps/Answers.svelte'),
  bill: () => import('./steps/Bill.svelte'),
  boxes: () => import('./steps/Boxes.svelte'),
  choice: () => import('./steps/Choice.svelte'),
  code: () => import('./steps/Code.svelte'),
  codes: () => import('./steps/Codes.svelte'),
  count: () => import('./steps/Count.svelte'),
  day: () => import('./steps/Day.svelte'),
  difference: () => import('./steps/Difference.svelte'),
  explanations: () => import('./steps/Explanations.svelte'),
  extras: () => import('./steps/Extras.svelte'),
  handover_code: () => import('./steps/HandoverCode.svelte'),
  kept_back: () => import('./steps/KeptBack.svelte'),
  labels: () => import('./steps/Labels.svelte'),
  photos: () => import('./steps/Photos.svelte'),
  pieces: () => import('./steps/Pieces.svelte'),
  product: () => import('./steps/Product.svelte'),
  receipt: () => import('./steps/Receipt.svelte'),
  receiver: () => import('./steps/Receiver.svelte'),
  scans: () => import('./steps/Scans.svelte'),
  serials: () => import('./steps/Serials.svelte'),
  shelves: () => import('./steps/Shelves.svelte'),
  signature: () => import('./steps/Signature.svelte'),
  sign_off: () => import('./steps/SignOff.svelte'),
  taken: () => import('./steps/Taken.svelte'),
  tenders: () => import('./steps/Tenders.svelte'),
  topics: () => import('./steps/Topics.svelte'),
  units: () => import('./steps/Units.svelte'),
  words: () => import('./steps/Words.svelte'),
  yes_no: () => import('./steps/YesNo.svelte'),
};

/** Return the part that asks a type; null for one that only a later version knows. */
export function asked(type: string): Part | null {
  return PARTS[type as Slot['type']] ?? null;
}
