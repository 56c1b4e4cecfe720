/**
 * Lets a phone take a version only whole.
 *
 * While a version is put in place, one server may give the new worker and another one the page of
 * before. Kept under the new worker, that page would ask for parts that are soon gone.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Entry } from './keep-previous';

/** Have what keeps its name in every version compared with its content; the rest is named by it. */
export function whole(outDir: string) {
  return (entries: Entry[]): { manifest: Entry[] } => ({
    manifest: entries.map((entry) =>
      entry.revision === null ? entry : { ...entry, integrity: sha256(join(outDir, entry.url)) },
    ),
  });
}

function sha256(file: string): string {
  return `sha256-${createHash('sha256').update(readFileSync(file)).digest('base64')}`;
}
