/** Number formats of stored tensors: exact widening, rounding, statistics. */
import { statistics, toFloat32, toFloat64 } from './numbers';

const half = (...bits: number[]) => toFloat32({ dtype: 'float16', data: Uint16Array.from(bits) });
const brain = (...bits: number[]) => toFloat32({ dtype: 'bfloat16', data: Uint16Array.from(bits) });

describe('toFloat32', () => {
  it('widens float16 exactly: normal, largest, smallest, subnormal, signed zero, infinities', () => {
    expect(half(0x3c00, 0xc100, 0x3555, 0x7bff, 0x0400)).toEqual(
      Float32Array.of(1, -2.5, 0.333251953125, 65504, 2 ** -14),
    );
    expect(half(0x0001, 0x03ff, 0x8200)).toEqual(Float32Array.of(2 ** -24, 1023 * 2 ** -24, -(2 ** -15)));
    expect([...half(0x8000, 0x7c00, 0xfc00)]).toEqual([-0, Infinity, -Infinity]);
    expect(half(0x7e00)[0]).toBeNaN();
  });

  it('gives every float16 the value of its fields', () => {
    const bits = Uint16Array.from({ length: 0x7c00 }, (_, index) => index);
    const values = toFloat32({ dtype: 'float16', data: bits });
    bits.forEach((pattern, index) => {
      const exponent = pattern >> 10;
      const fraction = (pattern & 0x3ff) / 1024;
      const value = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
      if (values[index] !== value) throw new Error(`0x${pattern.toString(16)}: ${values[index]}, expected ${value}`);
    });
  });

  it('widens bfloat16 exactly', () => {
    expect(brain(0x3f80, 0xc020, 0x7f7f, 0x0001)).toEqual(
      Float32Array.of(1, -2.5, 3.3895313892515355e38, 9.183549615799121e-41),
    );
    expect([...brain(0x8000, 0xff80)]).toEqual([-0, -Infinity]);
  });

  it('rounds float64 and wide integers to nearest, passes float32 through', () => {
    expect(toFloat32({ dtype: 'float64', data: Float64Array.of(0.1) })).toEqual(Float32Array.of(Math.fround(0.1)));
    expect(toFloat32({ dtype: 'int64', data: BigInt64Array.of(-3n, 2n ** 24n + 1n) })).toEqual(
      Float32Array.of(-3, 2 ** 24),
    );
    expect(toFloat32({ dtype: 'bool', data: Uint8Array.of(1, 0) })).toEqual(Float32Array.of(1, 0));
    const data = new Float32Array(2);
    expect(toFloat32({ dtype: 'float32', data })).toBe(data);
  });
});

describe('toFloat64', () => {
  it('keeps what float32 would round', () => {
    expect(toFloat64({ dtype: 'int32', data: Int32Array.of(2 ** 31 - 1) })[0]).toBe(2147483647);
    expect(toFloat64({ dtype: 'int64', data: BigInt64Array.of(2n ** 53n) })[0]).toBe(2 ** 53);
  });
});

describe('statistics', () => {
  it('are those of the finite elements', () => {
    const data = Float32Array.of(1, 2, 3, 6, NaN, -Infinity);
    expect(statistics({ dtype: 'float32', shape: [6], data })).toEqual({
      min: 1,
      max: 6,
      mean: 3,
      std: Math.sqrt(3.5),
      notFinite: 2,
    });
  });

  it('are NaN for an empty tensor', () => {
    const data = new Float32Array();
    expect(statistics({ dtype: 'float32', shape: [0], data })).toMatchObject({ min: NaN, mean: NaN, notFinite: 0 });
  });
});
