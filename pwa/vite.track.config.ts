import { defineConfig } from 'vite';

/** The one script of the customer's page, which the server writes itself: no page is built here. */
export default defineConfig({
  base: '/t/files/',
  publicDir: false,
  build: {
    outDir: process.env['TRACK_OUT'] ?? new URL('dist/track', import.meta.url).pathname,
    // The one before stays for pages that are open.
    emptyOutDir: false,
    target: 'es2020',
    modulePreload: false,
    rolldownOptions: {
      input: new URL('src/track/track.ts', import.meta.url).pathname,
      output: { entryFileNames: 'track-[hash:8].js' },
    },
  },
});
