import { readFileSync } from 'node:fs';
import { noteOnHalfWidth } from './half-width-note';

describe('noteOnHalfWidth', () => {
  const zen3 = new Set(['sse2', 'avx2', 'fma']);
  const zen4 = new Set([...zen3, 'avx512f', 'avx512_bf16']);

  it('tells what a processor lacks', () => {
    expect(noteOnHalfWidth('bf16', 'tensorflow', zen3)).toBe(
      'runtime.precision: bf16 takes several times as long as float32 on this processor, which has no AVX-512',
    );
    expect(noteOnHalfWidth('fp16', 'tensorflow', zen4)).toMatch(/^runtime.precision: fp16 .+ has no AVX-512 FP16$/);
  });

  it('says nothing where all is well', () => {
    expect(noteOnHalfWidth('bf16', 'tensorflow', zen4)).toBeUndefined();
    expect(noteOnHalfWidth('float32', 'tensorflow', zen3)).toBeUndefined();
    expect(noteOnHalfWidth('bf16', 'tensorflow-gpu', zen3)).toBeUndefined();
    expect(noteOnHalfWidth('fp16', 'tensorflow', new Set([...zen4, 'avx512_fp16']))).toBeUndefined();
  });

  it('knows this machine, where its system tells', () => {
    const isTold = process.platform === 'linux' && process.arch === 'x64';
    const isSlow = isTold && !/ avx512f /.test(readFileSync('/proc/cpuinfo', 'utf8'));
    expect(noteOnHalfWidth('bf16', 'tensorflow') !== undefined).toBe(isSlow);
  });
});
