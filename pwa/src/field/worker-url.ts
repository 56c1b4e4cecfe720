/** The address of the service worker, as a page of strict policy may name it. */

interface Policies {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL: (url: string) => unknown };
}

export const SCOPE = '/app/';

const WORKER = '/app/sw.js';

/** Return the address; where the browser wants a trusted one, as such. */
export function workerUrl(): string {
  const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  const made = policies?.createPolicy('doorstep-worker', { createScriptURL: (url) => url });
  return (made?.createScriptURL(WORKER) ?? WORKER) as string;
}
