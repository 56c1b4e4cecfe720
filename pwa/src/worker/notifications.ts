/**
 * A push becomes a notification that is always seen, and a tap opens the job.
 *
 * Browsers take push away from whoever shows nothing, so one that cannot be read is shown too. The
 * message says only where to look: pages and the sync get the work itself from the server.
 */

import { LOOK, OPEN, type Word } from '../shared/browser/between';
import type { Field } from '../shared/browser/field';

const HOME = '/app/';

/** A declarative message (`web_push: 8030`), as far as it is read here. */
interface Message {
  title: string;
  options: NotificationOptions;
  id: string | null;
  lane: string | null;
  navigate: string;
}

/** Show the message, say that it was shown, and let pages and sync look. */
export async function onPush(
  scope: ServiceWorkerGlobalScope,
  text: string | null,
  field: () => Field,
): Promise<void> {
  const message = read(text);
  await scope.registration.showNotification(message.title, message.options);
  if (message.id !== null) await acknowledge(field(), message.id, 'shown');
  await tell(scope, { type: LOOK });
  await field().sync.run({ eager: true });
}

/** Open the job in the page that there is, else in a new one, and say that it was tapped. */
export async function onTap(
  scope: ServiceWorkerGlobalScope,
  notification: Notification,
  field: () => Field,
): Promise<void> {
  notification.close();
  const { id, lane, navigate } = seen(notification.data);
  const [page] = await scope.clients.matchAll({ type: 'window' });
  if (page === undefined) await scope.clients.openWindow(navigate);
  else {
    const word: Word = { type: OPEN, lane: lane ?? '' };
    page.postMessage(word);
    // A browser may refuse the focus; the page shows the job all the same.
    await page.focus().catch(() => undefined);
  }
  if (id === null) return;
  await acknowledge(field(), id, 'tapped');
  await field().sync.run({ eager: true });
}

async function acknowledge({ sync, sessions }: Field, id: string, what: 'shown' | 'tapped') {
  const session = await sessions.current();
  if (session === null) return;
  await sync.acknowledge(session.person_id, { id, what, at: new Date().toISOString() });
}

async function tell(scope: ServiceWorkerGlobalScope, word: Word): Promise<void> {
  for (const page of await scope.clients.matchAll({ type: 'window' })) page.postMessage(word);
}

function read(text: string | null): Message {
  const { notification = {} } = parsed(text) as { notification?: Record<string, unknown> };
  const { title, navigate, data, ...rest } = notification;
  const { id, lane } = seen(data);
  const address = typeof navigate === 'string' ? navigate : HOME;
  const options = { ...rest, data: { id, lane, navigate: address } } as NotificationOptions;
  return {
    title: typeof title === 'string' ? title : 'Doorstep',
    options,
    id,
    lane,
    navigate: address,
  };
}

function seen(data: unknown): { id: string | null; lane: string | null; navigate: string } {
  const { id, lane, navigate } = (data ?? {}) as Record<string, unknown>;
  return {
    id: typeof id === 'string' ? id : null,
    lane: typeof lane === 'string' ? lane : null,
    navigate: typeof navigate === 'string' ? navigate : HOME,
  };
}

function parsed(text: string | null): object {
  try {
    const found: unknown = JSON.parse(text ?? '');
    return typeof found === 'object' && found !== null ? found : {};
  } catch {
    return {};
  }
}
