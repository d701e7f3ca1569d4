import { compileKernels } from '../../wasm/compile';
import type * as kernelsModule from './kernels';
import { Kernels } from './kernels';
import { KERNELS_WASM } from './kernels-wasm';

declare const WebAssembly: { Module: new (bytes: Uint8Array) => object };

describe('the kernels', () => {
  it('are wasm/assembly, compiled', () => {
    expect(compileKernels().toString('base64')).toBe(KERNELS_WASM);
  });

  it('have memories of their own, which grow', () => {
    const [a, b] = [Kernels.create()!, Kernels.create()!];
    const place = a.put(Uint32Array.from({ length: 1e6 }, (_, i) => i));
    const next = a.put(Float64Array.of(0.5));
    expect([a.uint32(place, 1e6).at(-1), a.float64(next, 1)[0]]).toEqual([999_999, 0.5]);
    expect(b.run.memory.buffer.byteLength).toBeLessThan(1e6);
  });

  it('use a memory again, but not one that was full', () => {
    const used = Kernels.use((kernels) => [kernels, kernels.run.allocate(2 ** 20)] as const)!;
    expect(Kernels.use((kernels) => [kernels, kernels.run.allocate(100)])).toEqual(used);
    expect(Kernels.use((kernels) => kernels.run.allocate(2 ** 32 - 100))).toBeUndefined();
    expect(Kernels.use((kernels) => kernels)).not.toBe(used[0]);
    const fail = (): never => {
      throw new RangeError('an error is none of memory');
    };
    expect(() => Kernels.use(fail)).toThrow('an error is none of memory');
  });

  it('leave a memory to results that are views of it', () => {
    const used = Kernels.useUp((kernels) => [kernels, kernels.put(Float64Array.of(0.5))] as const)!;
    expect(Kernels.use((kernels) => kernels)).not.toBe(used[0]);
    expect(used[0].float64(used[1], 1)[0]).toBe(0.5);
    expect(Kernels.useUp((kernels) => kernels.run.allocate(2 ** 32 - 100))).toBeUndefined();
  });

  it('are missing where a page does not allow them', () => {
    const { Module } = WebAssembly;
    WebAssembly.Module = class {
      constructor() {
        throw new EvalError("Refused to compile because 'wasm-unsafe-eval' is not an allowed source of script");
      }
    };
    try {
      jest.isolateModules(() => {
        const loaded = jest.requireActual<typeof kernelsModule>('./kernels');
        expect(loaded.Kernels.create()).toBeUndefined();
        expect([loaded.Kernels.use(() => 1), loaded.Kernels.useUp(() => 1)]).toEqual([undefined, undefined]);
      });
    } finally {
      WebAssembly.Module = Module;
    }
  });

  it('find the places of ids, whatever they are', () => {
    const kernels = Kernels.create()!;
    const ids = Float64Array.of(0, -1, 7, 2 ** 53 - 1, -(2 ** 53) + 1, 1e9, 64, 128, 192, 256);
    const asked = Float64Array.of(256, -0, 5, 2 ** 53 - 1, -1, 0.5, 64);
    const out = kernels.run.allocate(4 * asked.length);
    const table = kernels.run.idTable(kernels.put(ids), ids.length);
    kernels.run.findIds(table, kernels.put(asked), asked.length, out);
    expect([...kernels.int32(out, asked.length)]).toEqual([9, 0, -1, 3, 1, -1, 6]);
  });
});
