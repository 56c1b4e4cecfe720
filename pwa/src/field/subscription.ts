/**
 * Keeps the push subscription of this phone fresh: the server is told at every start.
 *
 * Nobody is asked for permission here: that takes a tap (`notices.svelte.ts`), and push is only a
 * hint. The work comes by pull all the same.
 */

/** The part of a subscription that the server needs. */
export interface Subscription {
  endpoint: string;
  keys: { p256dh: string; auth: string };
  expirationTime: number | null;
}

/** Asks the server in the name of whoever works here; null when no answer came. */
export type Ask = (
  method: 'GET' | 'PUT',
  path: string,
  body?: unknown,
) => Promise<{ status: number; body: unknown } | null>;

/** Subscribe if push is on and allowed, and tell the server where; returns whether it knows now. */
export async function keepSubscribed(
  registration: ServiceWorkerRegistration,
  ask: Ask,
): Promise<boolean> {
  if (Notification.permission !== 'granted') return false;
  const key = await pushKey(ask);
  if (key === null) return false;
  const subscription = await subscribed(registration, key).catch(() => null);
  if (subscription === null) return false;
  return tellServer(subscription.toJSON() as Subscription, ask);
}

/** Ask for the key that the server sends with; null when no answer came, or it sends nothing. */
export async function pushKey(ask: Ask): Promise<string | null> {
  const answer = await ask('GET', '/field/push/key');
  const { key } = (answer?.body ?? {}) as { key?: unknown };
  return answer?.status === 200 && typeof key === 'string' ? key : null;
}

/** Tell the server where this phone is reached from now on. */
export async function tellServer(to: Subscription, ask: Ask): Promise<boolean> {
  const expires = to.expirationTime ?? null;
  const body = {
    endpoint: to.endpoint,
    ...to.keys,
    expires_at: expires === null ? null : new Date(expires).toISOString(),
  };
  return (await ask('PUT', '/field/push/subscription', body))?.status === 204;
}

/** Return the subscription for this server's key; one for an older key reaches nobody any more. */
async function subscribed(
  registration: ServiceWorkerRegistration,
  key: string,
): Promise<PushSubscription> {
  const wanted = bytesOf(key);
  const known = await registration.pushManager.getSubscription();
  if (known !== null) {
    const of = known.options.applicationServerKey;
    if (of !== null && equal(new Uint8Array(of), wanted)) return known;
    await known.unsubscribe();
  }
  return registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: wanted,
  });
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
