/**
 * Fails where the field app has grown too large for its phones, in bytes by brotli, as they travel.
 *
 * What a phone loads to see its first screen, each part that comes later, the two files of the
 * worker (the one that answers pages, and the one that sends with the page closed), the scanner.
 */

import { readFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';

const BUILT = new URL('../dist/field/', import.meta.url);
const LOADED = /(?:src|href)="\/app\/(assets\/[^"]+\.(?:js|css))"/g;

/** At most so many kB (1,000 bytes). */
const MOST = { js: 45, css: 8, lazy: 25, worker: 12, wasm: 360 };

const read = (name: string): Buffer => readFileSync(new URL(name, BUILT));
const size = (name: string): number => brotliCompressSync(read(name)).length;
const sum = (names: string[]): number => names.reduce((all, name) => all + size(name), 0);

const first = [...read('index.html').toString().matchAll(LOADED)].map(([, name = '']) => name);
// Beside them lie the files of the version before, which nobody loads.
const own = (JSON.parse(read('files.json').toString()) as string[]).map((name) => `assets/${name}`);
const ending = (names: string[], end: string): string[] =>
  names.filter((name) => name.endsWith(end));
const sending = own.filter((name) => name.startsWith('assets/sync-'));
const later = ending(own, '.js').filter((name) => ![...first, ...sending].includes(name));
const found = [
  ...[ending(first, '.js')].map((names) => ['js', 'first screen', sum(names)] as const),
  ...[ending(first, '.css')].map((names) => ['css', 'first screen', sum(names)] as const),
  ...later.map((name) => ['lazy', name, size(name)] as const),
  ...['sw.js', ...sending].map((name) => ['worker', name, size(name)] as const),
  ...ending(own, '.wasm').map((name) => ['wasm', name, size(name)] as const),
];

for (const kind of Object.keys(MOST) as (keyof typeof MOST)[]) {
  const of = found.filter((one) => one[0] === kind);
  if (of.length === 0 || of.some(([, , bytes]) => bytes === 0)) throw new Error(`no ${kind}`);
  const [, largest, bytes] = of.reduce((a, b) => (b[2] > a[2] ? b : a));
  const fits = bytes <= MOST[kind] * 1_000;
  const said = fits ? '' : ': too large';
  process.stdout.write(`${kind}: ${bytes} of ${MOST[kind]}000 bytes, ${largest}${said}\n`);
  if (!fits) process.exitCode = 1;
}
