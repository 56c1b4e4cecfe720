/** Codes as people type them: small, and without dashes and spaces. */

/** Tell whether two codes are the same but for how they were written. */
export function alike(a: string, b: string): boolean {
  return plain(a) === plain(b);
}

function plain(code: string): string {
  return code.toUpperCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}
