import { defineConfig } from 'vite';

/** The scripts of the customer's pages, which the server writes itself: no page is built here. */
export default defineConfig({
  base: '/t/files/',
  publicDir: false,
  build: {
    outDir: process.env['TRACK_OUT'] ?? new URL('dist/track', import.meta.url).pathname,
    // Those before stay for pages that are open.
    emptyOutDir: false,
    target: 'es2020',
    modulePreload: false,
    rolldownOptions: {
      input: ['track', 'door'].map(
        (name) => new URL(`src/track/${name}.ts`, import.meta.url).pathname,
      ),
      output: { entryFileNames: '[name]-[hash:8].js' },
    },
  },
});
