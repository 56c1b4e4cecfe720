/**
 * What travels between outbox and server: `POST /field/sync/push` and `GET /field/sync/receipts`.
 *
 * Answers are checked by their content. A captive portal says 200 too, and must never be taken
 * for a receipt.
 */

import { readState, type DeviceState } from './device-word';

/** Events that one request may carry, and receipts that one question may name. */
export const MAX_EVENTS = 100;

/** Bytes that the body of one push may have. */
export const MAX_BODY_BYTES = 200_000;

/** What the envelope around the events takes at most; the rest of the body is theirs. */
const ENVELOPE_BYTES = 500;

/** Bytes that the events of one push may have together, so also what one may have alone. */
export const MAX_EVENT_BYTES = MAX_BODY_BYTES - ENVELOPE_BYTES;

/** What any JSON value can be. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** One capture as it is signed and sent; nothing of it changes after the capture. */
export interface WireEvent {
  event_id: string;
  type: string;
  schema: number;
  lane: string;
  device_seq: number;
  captured_at: string;
  mono_ms: number;
  boot: string;
  server_at: string | null;
  server_mono_ms: number | null;
  payload: { [name: string]: Json };
  sig: string | null;
}

export const VERDICTS = ['applied', 'duplicate', 'held', 'review', 'rejected'] as const;

/** What the server made of a capture; every one of them says that it is stored there. */
export type Verdict = (typeof VERDICTS)[number];

/** The server's word that it has the capture with this id. */
export interface Receipt {
  event_id: string;
  verdict: Verdict;
  reason: string | null;
  recorded_at: string | null;
}

/** An event of the batch whose very id the server could not read. */
export interface Unreadable {
  index: number;
  reason: string;
}

/** The answer to a push, and with nothing unreadable to a question for receipts. */
export interface SyncAnswer {
  server_time: string;
  receipts: Receipt[];
  unreadable: Unreadable[];
  /** What the office has to say to this device; null where the answer says nothing of it. */
  device_state: DeviceState | null;
}

/** Read an answer, or return null for anything that is not one. */
export function readAnswer(body: unknown): SyncAnswer | null {
  if (!isRecord(body) || !Array.isArray(body['receipts'])) return null;
  const serverTime = body['server_time'];
  if (typeof serverTime !== 'string' || Number.isNaN(Date.parse(serverTime))) return null;
  const unreadable = Array.isArray(body['unreadable']) ? body['unreadable'] : [];
  return {
    server_time: serverTime,
    receipts: body['receipts'].map(readReceipt).filter((receipt) => receipt !== null),
    unreadable: unreadable.map(readUnreadable).filter((item) => item !== null),
    device_state: readState(body['device']),
  };
}

/** A receipt with a verdict that this version does not know is none: the capture stays. */
function readReceipt(item: unknown): Receipt | null {
  if (!isRecord(item) || typeof item['event_id'] !== 'string') return null;
  const verdict = VERDICTS.find((known) => known === item['verdict']);
  if (verdict === undefined) return null;
  return {
    event_id: item['event_id'],
    verdict,
    reason: textOrNull(item['reason']),
    recorded_at: textOrNull(item['recorded_at']),
  };
}

function readUnreadable(item: unknown): Unreadable | null {
  if (!isRecord(item) || !Number.isInteger(item['index'])) return null;
  return { index: item['index'] as number, reason: textOrNull(item['reason']) ?? '' };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
