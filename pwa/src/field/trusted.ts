/** Addresses of programs, as a page of strict policy may name them (Trusted Types). */

interface Policies {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL: (url: string) => unknown };
}

const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
const policy = policies?.createPolicy('doorstep-worker', { createScriptURL: (url) => url });

/** Return an address of our own; where the browser wants a trusted one, as such. */
export function trusted(url: string): string {
  return (policy?.createScriptURL(url) ?? url) as string;
}
