/** Compiles assembly/ with AssemblyScript. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const OPTIONS = ['-O3', '--runtime', 'stub', '--noAssert', '--enable', 'simd', '--importMemory'];

/** The engine's memory with threads: all that 32 bits can tell. */
const SHARED = ['--enable', 'threads', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'];

/** @returns the module's bytes, the same on every machine. */
export function compileKernels({ shared }: { shared: boolean }): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'kernels-'));
  try {
    const compiler = join(dirname(require.resolve('assemblyscript/package.json')), 'bin/asc.js');
    const out = join(folder, 'kernels.wasm');
    const options = [...OPTIONS, ...(shared ? SHARED : []), '-o', out];
    execFileSync(process.execPath, [compiler, join('assembly', 'index.ts'), ...options], {
      cwd: __dirname,
      stdio: 'inherit',
    });
    return readFileSync(out);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
