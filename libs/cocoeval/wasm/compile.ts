/** Compiles the kernels with AssemblyScript. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const OPTIONS = ['-O3', '--runtime', 'stub', '--noAssert', '--enable', 'simd'];

/** @returns the module's bytes, the same on every machine. */
export function compileKernels(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'kernels-'));
  try {
    const compiler = join(dirname(require.resolve('assemblyscript/package.json')), 'bin/asc.js');
    const out = join(folder, 'kernels.wasm');
    const source = join('assembly', 'index.ts');
    execFileSync(process.execPath, [compiler, source, ...OPTIONS, '-o', out], { cwd: __dirname, stdio: 'inherit' });
    return readFileSync(out);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
