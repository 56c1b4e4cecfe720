/**
 * Builds the part of the worker that sends: a script beside it, which it imports when it has to.
 *
 * Its name changes with its content. Under one name for all versions, a phone that looks while a
 * version is put in place would find the new part beside the worker of before, and take the two for
 * a version of their own.
 */

import { build, type Plugin, type Rolldown } from 'vite';

/** What is never precached: a worker's imports lie beside it by themselves. */
export const SYNC_FILES = 'assets/sync-*.js';

export function workerSync(version: string): Plugin {
  let part: Rolldown.OutputChunk;
  return {
    name: 'worker-sync',
    apply: 'build',
    async config() {
      part = await built(version);
      return { define: { SYNC_FILE: JSON.stringify(part.fileName) } };
    },
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: part.fileName, source: part.code });
    },
  };
}

async function built(version: string): Promise<Rolldown.OutputChunk> {
  const made = await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    define: { APP_VERSION: JSON.stringify(version) },
    build: {
      write: false,
      target: 'es2022',
      rolldownOptions: {
        input: new URL('../src/worker/sync.ts', import.meta.url).pathname,
        output: { format: 'iife', entryFileNames: 'assets/sync-[hash].js' },
      },
    },
  });
  const [output] = [made].flat();
  if (output === undefined || !('output' in output)) throw new Error('nothing was built');
  return output.output[0];
}
