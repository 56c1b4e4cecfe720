import { readFileSync } from 'node:fs';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';

import { keepPrevious, ofThisVersion } from './build/keep-previous';
import { messages } from './build/messages';
import { whole } from './build/whole';
import { SYNC_FILES, workerSync } from './build/worker-sync';

const version = process.env['APP_VERSION'] ?? packageVersion();
const outDir = process.env['APP_OUT'] ?? new URL('dist/field', import.meta.url).pathname;

/** Modules of the first screen that later ones use too. */
const FIRST =
  /src\/(shared\/(?!browser\/bucket|sync\/copy)|field\/(phone|running|work|sending|trusted|kept|install|update|i18n\/lang|flow\/(over|changes)|parts\/(JobCard|Pin)))|node_modules\/(svelte|idb|uuidv7|@lingui\/core)/;

/** Steps of forms by what they share: a form has several of a group, and many small files are packed worse. */
const ASKING =
  /src\/field\/flow\/(steps\/(Choice|Count|Day|Difference|KeptBack|Receiver|Topics|Words|YesNo)|Text|Tick)/;
const SCANNING =
  /src\/field\/(flow\/(steps\/(Codes?|Labels|Pieces|Product|Receipt|Scans|Serials|Shelves|Taken)\.|BoxList)|scan\/(Scan|burst|sound))/;
const SIGNING =
  /src\/field\/flow\/(steps\/(Agreement|SignOff|Signature)|Pad)|node_modules\/signature_pad/;

export default defineConfig({
  root: 'src/field',
  base: '/app/',
  define: { APP_VERSION: JSON.stringify(version) },
  build: {
    outDir,
    emptyOutDir: false,
    target: 'es2022',
    // Every browser that has what the app needs loads modules ahead by itself.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: page('src/field/index.html'), ...harness() },
      // What the first screen needs is one file: many small ones are packed worse.
      output: {
        codeSplitting: {
          groups: [
            { name: 'first', test: FIRST },
            { name: 'asking', test: ASKING },
            { name: 'scanning', test: SCANNING },
            { name: 'signing', test: SIGNING },
          ],
        },
      },
    },
  },
  worker: { format: 'es' },
  plugins: [
    svelte({ configFile: false }),
    messages(),
    keepPrevious(outDir),
    workerSync(version),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: '../worker',
      filename: 'sw.ts',
      injectRegister: false,
      includeAssets: ['icon.svg'],
      injectManifest: {
        injectionPoint: 'self.precached',
        globPatterns: ['**/*.{js,css,html,svg,wasm}'],
        maximumFileSizeToCacheInBytes: 4 << 20,
        globIgnores: ['kill.js', 'sw.js', SYNC_FILES],
        manifestTransforms: [ofThisVersion(outDir), whole(outDir)],
      },
      manifest: {
        name: 'Doorstep field',
        short_name: 'Doorstep',
        start_url: '/app/',
        scope: '/app/',
        display: 'standalone',
        background_color: '#0b3d2e',
        theme_color: '#0b3d2e',
        icons: [{ src: 'icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' }],
      },
    }),
  ],
});

/** A page for the end-to-end tests, which does what a screen will do. */
function harness(): { [name: string]: string } {
  return process.env['APP_HARNESS'] ? { harness: page('src/field/harness.html') } : {};
}

function page(name: string): string {
  return new URL(name, import.meta.url).pathname;
}

function packageVersion(): string {
  const text = readFileSync(new URL('package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
