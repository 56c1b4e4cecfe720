/** Builds the part of the worker that sends: a script beside it, which it imports when it has to. */

import { build, type Plugin } from 'vite';

export const SYNC_FILE = 'sync.js';

export function workerSync(outDir: string, version: string): Plugin {
  return {
    name: 'worker-sync',
    apply: 'build',
    async writeBundle() {
      await build({
        configFile: false,
        logLevel: 'warn',
        publicDir: false,
        define: { APP_VERSION: JSON.stringify(version) },
        build: {
          outDir,
          emptyOutDir: false,
          target: 'es2022',
          rolldownOptions: {
            input: new URL('../src/worker/sync.ts', import.meta.url).pathname,
            output: { format: 'iife', entryFileNames: SYNC_FILE },
          },
        },
      });
    },
  };
}
