// Signs events with the field app's own code, as a phone does: one JSON document to stdout.

const { base64url, canonicalBytes } = await import(process.argv[2]);
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };

const pair = await crypto.subtle.generateKey(CURVE, false, ['sign', 'verify']);

function doubles(count) {
  const view = new DataView(new ArrayBuffer(8));
  return Array.from({ length: count }, () => {
    crypto.getRandomValues(new Uint8Array(view.buffer));
    return view.getFloat64(0);
  }).filter(Number.isFinite);
}

const payloads = [
  {},
  { b: [1, 'x', null], a: { z: true, c: 0.5 } },
  { '\u20ac': 'Euro Sign', '\r': 'Carriage Return', '\ufb33': 'Dalet', 1: 'One', '\ud83d\ude00': 'Smiley' },
  { words: '\u0007\b\f\n\r\t"\\/\u007f\u2028 ü हिन्दी عربي 😀', cut: 'half \ud83d', '\udc00': 1 },
  { edges: [0, -0, 1e20, 1e21, 123456789012345680000, 2 ** 53, 2 ** 53 + 2, -(2 ** 63), 1e-6, 1e-7] },
  { edges: [5e-324, 1.7976931348623157e308, 4.35, 333333333.33333329, -1.5e-9, 1e23, 0.002] },
  { doubles: doubles(2_000), wholes: doubles(500).map((one) => Math.trunc(one)) },
];

const events = [];
for (const [index, payload] of payloads.entries()) {
  const event = {
    event_id: crypto.randomUUID(), type: 'pod.record', schema: 1, lane: 'stop:1',
    device_seq: index + 1, captured_at: new Date().toISOString(), mono_ms: index, boot: crypto.randomUUID(),
    server_at: null, server_mono_ms: null, payload, sig: null, of_a_newer_phone: [index],
  };
  const bytes = canonicalBytes(event);
  const sig = base64url(await crypto.subtle.sign(SIGNATURE, pair.privateKey, bytes));
  events.push({ sent: JSON.stringify({ ...event, sig }), signed: new TextDecoder().decode(bytes) });
}
const key = await crypto.subtle.exportKey('jwk', pair.publicKey);
process.stdout.write(JSON.stringify({ key, events }));
