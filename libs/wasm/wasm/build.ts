/** Compiles assembly/ into src/vector-kernels-wasm.ts: `npx tsx libs/wasm/wasm/build.ts`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileKernels } from './compile';

function literal(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,112}/g)!;
  return lines.map((line) => `  '${line}'`).join(' +\n');
}

const text = `/** wasm/assembly, compiled by wasm/build.ts: for a memory that threads share, and for one of one thread. */
export const SHARED_KERNELS =
${literal(compileKernels({ shared: true }))};

export const KERNELS =
${literal(compileKernels({ shared: false }))};
`;
writeFileSync(join(__dirname, '../src/vector-kernels-wasm.ts'), text);
