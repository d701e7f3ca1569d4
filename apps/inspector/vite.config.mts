import { defineConfig } from 'vite';

/** Everything in files of their own: the server's policy lets nothing run that stands in the page. */
export default defineConfig({
  root: 'page',
  build: { outDir: '../site', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  resolve: { conditions: ['@pyramidal/source', 'module', 'browser', 'development|production'] },
});
