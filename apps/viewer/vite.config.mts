import { defineConfig, type Plugin } from 'vite';

/** Without these headers browsers keep shared memory, and with it WebAssembly threads, from a page. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * The threads of TensorFlow.js run the source text of one of its functions. A minifier lets that text refer to a
 * variable outside of it, which threads do not have and browsers do not need: the path of the script.
 */
const selfContainedThreads: Plugin = {
  name: 'self-contained-threads',
  transform: {
    filter: { id: /tfjs-backend-wasm-threaded-simd\.js$/ },
    handler: (code) =>
      code.replaceAll(/typeof _scriptDir !== "undefined" && _scriptDir|\|\|_scriptDir/g, (use) =>
        use.startsWith('|') ? '' : 'false',
      ),
  },
};

export default defineConfig({
  base: './',
  build: { rollupOptions: { input: ['index.html', 'detect.html'] } },
  plugins: [selfContainedThreads],
  resolve: { conditions: ['@pyramidal/source', 'module', 'browser', 'development|production'] },
  server: { host: '127.0.0.1', headers },
  preview: { host: '127.0.0.1', headers },
});
