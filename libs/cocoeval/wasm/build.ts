/** Compiles assembly/ into src/wasm/kernels-wasm.ts: `npx tsx libs/cocoeval/wasm/build.ts`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileKernels } from './compile';

const lines = compileKernels()
  .toString('base64')
  .match(/.{1,112}/g)!;
const literal = lines.map((line) => `  '${line}'`).join(' +\n');
const header = '/** wasm/assembly, compiled by wasm/build.ts. */\n';
writeFileSync(join(__dirname, '../src/wasm/kernels-wasm.ts'), `${header}export const KERNELS_WASM =\n${literal};\n`);
