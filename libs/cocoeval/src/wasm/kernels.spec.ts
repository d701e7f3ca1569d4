import { compileKernels } from '../../wasm/compile';
import { Kernels, withinMemory } from './kernels';
import { KERNELS_WASM } from './kernels-wasm';

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

  it('end where there is no memory, which is no error', () => {
    const kernels = Kernels.create()!;
    expect(withinMemory(() => kernels.run.allocate(2 ** 32 - 100))).toBeUndefined();
    expect(withinMemory(() => 1)).toBe(1);
    const fail = (): never => {
      throw new RangeError('another one');
    };
    expect(() => withinMemory(fail)).toThrow('another one');
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
