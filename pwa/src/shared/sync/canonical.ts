/**
 * The bytes that a signature covers: the event as JSON without `sig`, in the form of RFC 8785.
 *
 * Keys are sorted by UTF-16 units, nothing is spaced, numbers are written as JavaScript writes
 * them, and the text is UTF-8. Any language can make the same bytes of the same event.
 */

import type { Json, WireEvent } from './wire';

/** Return the bytes of an event that its device signs. */
export function canonicalBytes(event: WireEvent): Uint8Array<ArrayBuffer> {
  const { sig: _sig, ...signed } = event;
  return new TextEncoder().encode(canonicalJson(signed as unknown as Json));
}

/** Write JSON so that equal values always give equal text. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.keys(value)
    .toSorted(byUnits)
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] as Json)}`);
  return `{${members.join(',')}}`;
}

/** Write bytes as base64url without padding. */
export function base64url(bytes: ArrayBuffer): string {
  const text = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Write bytes as lower-case hex, as hashes stand in addresses. */
export function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function byUnits(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
