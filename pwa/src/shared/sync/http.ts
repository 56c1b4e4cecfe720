/** One request to the server, given up in time. */

import type { Ports } from './ports';

/** Any answer with a status; a body that is no JSON is null. */
export interface Reply {
  status: number;
  headers: Headers;
  body: unknown;
}

/** Ask the server; null when no whole answer came within the time. */
export async function request(
  ports: Pick<Ports, 'fetch' | 'timers' | 'base_url'>,
  path: string,
  init: RequestInit,
  timeout_ms: number,
): Promise<Reply | null> {
  const timeout = new AbortController();
  const cancel = ports.timers.after(timeout_ms, () => timeout.abort());
  try {
    const response = await ports.fetch(`${ports.base_url}${path}`, {
      ...init,
      cache: 'no-store',
      redirect: 'error',
      signal: timeout.signal,
    });
    // The line may break in the middle of the body too; then there is no answer.
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text) };
  } catch {
    return null;
  } finally {
    cancel();
  }
}

/** Return the kind of a refusal (RFC 9457), or null where the answer is none of our server's. */
export function problemType(reply: Reply): string | null {
  const body = reply.body as { type?: unknown } | null;
  const type = typeof body === 'object' && body !== null ? body.type : null;
  return typeof type === 'string' && type.startsWith(PROBLEMS) ? type.slice(PROBLEMS.length) : null;
}

const PROBLEMS = '/problems/';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
