/**
 * What travels between phone and server: `POST /field/sync/push`, `GET /field/sync/receipts` and
 * `GET /field/sync/pull`.
 *
 * Answers are checked by their content. A captive portal says 200 too, and must never be taken
 * for a receipt, nor for a day without work.
 */

import { readState, type DeviceState } from './device-word';

/** Events that one request may carry, and receipts that one question may name. */
export const MAX_EVENTS = 100;

/** Bytes that the body of one push may have. */
export const MAX_BODY_BYTES = 200_000;

/** What the envelope around the events takes at most; the rest of the body is theirs. */
const ENVELOPE_BYTES = 1_000;

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

/** What the phone says of itself with a push: what it still holds once that push is through. */
export interface WireHealth {
  entries: number;
  entry_bytes: number;
  pictures: number;
  picture_bytes: number;
  quarantined: number;
  oldest_age_ms: number | null;
  storage_used: number | null;
  storage_quota: number | null;
  storage_persisted: boolean | null;
  clock_offset_ms: number | null;
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

/** A part of a person's work as the server has it: a stop, a visit, a pick list. */
export interface WireDocument {
  kind: string;
  id: string;
  body: { [name: string]: Json };
}

/** What has changed in a person's work since `since`; with `full` all of it, and `since` is null. */
export interface PullAnswer {
  person_id: string;
  since: string | null;
  cursor: string;
  full: boolean;
  server_time: string;
  upserts: WireDocument[];
  tombstones: Pick<WireDocument, 'kind' | 'id'>[];
}

/**
 * Read the answer to a pull, or return null for anything that is not wholly one.
 *
 * A part that cannot be read spoils all of it: to keep the rest with its cursor would lose the part
 * for good. A kind that this version does not know is kept, for the version that does.
 */
export function readPull(body: unknown): PullAnswer | null {
  if (!isRecord(body) || !isTime(body['server_time'])) return null;
  const { person_id, since, cursor, full, server_time, upserts, tombstones } = body;
  if (typeof person_id !== 'string' || typeof cursor !== 'string') return null;
  if (since !== null && typeof since !== 'string') return null;
  if (full !== (since === null)) return null;
  if (!Array.isArray(upserts) || !Array.isArray(tombstones)) return null;
  if (!upserts.every(isDocument) || !tombstones.every(isNamed)) return null;
  return {
    person_id,
    since,
    cursor,
    full,
    server_time: String(server_time),
    upserts: upserts.map(({ kind, id, body: content }) => ({ kind, id, body: content })),
    tombstones: tombstones.map(({ kind, id }) => ({ kind, id })),
  };
}

/** Read an answer, or return null for anything that is not one. */
export function readAnswer(body: unknown): SyncAnswer | null {
  if (!isRecord(body) || !Array.isArray(body['receipts'])) return null;
  const serverTime = body['server_time'];
  if (!isTime(serverTime)) return null;
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

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

function isNamed(value: unknown): value is Pick<WireDocument, 'kind' | 'id'> {
  return isRecord(value) && typeof value['kind'] === 'string' && typeof value['id'] === 'string';
}

function isDocument(value: unknown): value is WireDocument {
  return isNamed(value) && isRecord((value as WireDocument).body);
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
