/** Tensors that would not fit into 4 GiB are refused in one line. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { WasmMemory } from './memory-limit';
import { guardMemory } from './memory-limit';
import { openWasm } from './open-wasm';

const MIB = 2 ** 20;

/** An engine memory that has grown to `size` bytes, of which `free` are free. */
function memoryOf(size: number, free: number) {
  const taken = new Map<number, number>();
  let place = 0;
  const wasm = {
    HEAPU8: { length: size },
    _malloc(bytes: number): number {
      if (sum(taken) + bytes > free) return 0;
      taken.set(++place, bytes);
      return place;
    },
    _free: (at: number) => void taken.delete(at),
  };
  guardMemory(wasm);
  return { wasm, taken };
}

const sum = (taken: Map<number, number>): number => [...taken.values()].reduce((a, b) => a + b, 0);

describe('guardMemory', () => {
  it('stays in place although the module replaces its functions', async () => {
    await openWasm({ threads: 1 });
    const backend = tf.backend() as BackendWasm;
    const wasm = backend.wasm as unknown as WasmMemory;
    const guard = wasm._malloc;
    tf.tidy(() => tf.add(tf.ones([3]), 1));
    expect(wasm._malloc).toBe(guard);
    expect(() => backend.makeOutput([1100, 1024, 1024], 'float32')).toThrow(/^wasm: a tensor of 4400 MiB does not fit/);
  });

  it('does not interfere while the memory can grow', () => {
    const { wasm, taken } = memoryOf(1024 * MIB, Infinity);
    expect(wasm._malloc(100 * MIB)).toBeGreaterThan(0);
    expect([...taken.values()]).toEqual([100 * MIB]);
  });

  it('takes from a full-grown memory as long as the reserve stays free', () => {
    const { wasm, taken } = memoryOf(4096 * MIB, 400 * MIB);
    expect(wasm._malloc(100 * MIB)).toBeGreaterThan(0);
    expect([...taken.values()]).toEqual([100 * MIB]);
  });

  it('refuses in one line what would use up the reserve', () => {
    const { wasm, taken } = memoryOf(4096 * MIB, 300 * MIB);
    expect(() => wasm._malloc(100 * MIB)).toThrow(
      /^wasm: a tensor of 100 MiB does not fit beside \d+ MiB of other tensors in the engine's 4096 MiB; use a smaller batch or input, or the engine 'tensorflow'$/,
    );
    expect(taken.size).toBe(0);
  });

  it('refuses when the system has no more memory', () => {
    const { wasm } = memoryOf(1024 * MIB, 10 * MIB);
    expect(() => wasm._malloc(100 * MIB)).toThrow(/does not fit/);
  });
});
