/** What half width costs on processors that have no instructions for it. */
import { readFileSync } from 'node:fs';
import type { Precision } from '@pyramidal/graph';
import type { Engine } from '@pyramidal/runtime';

/** What oneDNN asks a processor for before it computes products in a width; TensorFlow's other kernels take several times as long. */
const NEEDED: Readonly<
  Record<Exclude<Precision, 'float32'>, { readonly flags: readonly string[]; readonly name: string }>
> = {
  bf16: { flags: ['avx512f', 'avx_ne_convert'], name: 'AVX-512' },
  fp16: { flags: ['avx512_fp16', 'amx_fp16'], name: 'AVX-512 FP16' },
};

/** A line for people who train in half width where that is slower than float32; undefined where it is not, or nobody can tell. */
export function noteOnHalfWidth(
  precision: Precision,
  engine: Engine,
  flags: ReadonlySet<string> | undefined = processorFlags(),
): string | undefined {
  if (precision === 'float32' || engine !== 'tensorflow' || flags === undefined) return undefined;
  const needed = NEEDED[precision];
  if (needed.flags.some((flag) => flags.has(flag))) return undefined;
  return `runtime.precision: ${precision} takes several times as long as float32 on this processor, which has no ${needed.name}`;
}

/** As Linux tells them on x64; undefined elsewhere. */
function processorFlags(): ReadonlySet<string> | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const line = /^flags\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
  return line === null ? undefined : new Set(line[1]!.split(' '));
}
