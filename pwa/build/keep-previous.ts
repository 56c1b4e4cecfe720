/**
 * Keeps the files of the version before: a page that still runs it may ask for one of its parts.
 *
 * Every build writes down which hashed files are its own. The next one leaves those where they are
 * and deletes what was older still.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Plugin } from 'vite';
import type { ManifestEntry } from 'workbox-build';

/** A file as the precache names it. */
export type Entry = ManifestEntry & { size: number };

const LIST = 'files.json';
const ASSETS = 'assets/';

export function keepPrevious(outDir: string): Plugin {
  return {
    name: 'keep-previous',
    apply: 'build',
    buildStart() {
      const assets = join(outDir, 'assets');
      if (!existsSync(assets)) return;
      const previous = new Set(listed(outDir));
      for (const file of readdirSync(assets)) {
        if (!previous.has(file)) rmSync(join(assets, file));
      }
    },
    writeBundle(_options, bundle) {
      const own = Object.keys(bundle)
        .filter((name) => name.startsWith(ASSETS))
        .map((name) => name.slice(ASSETS.length));
      mkdirSync(outDir, { recursive: true });
      writeFileSync(join(outDir, LIST), JSON.stringify(own));
    },
  };
}

/** Leave out of the precache what is kept of the version before: no new page asks for it. */
export function ofThisVersion(outDir: string) {
  return (entries: Entry[]): { manifest: Entry[] } => {
    const own = new Set(listed(outDir));
    const isOwn = ({ url }: Entry): boolean =>
      !url.startsWith(ASSETS) || own.has(url.slice(ASSETS.length));
    return { manifest: entries.filter(isOwn) };
  };
}

function listed(outDir: string): string[] {
  const file = join(outDir, LIST);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : [];
}
