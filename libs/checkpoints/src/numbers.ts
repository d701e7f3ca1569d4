/** Stored elements as float32 and float64, and their statistics. */
import type { StoredTensor, TensorData } from './dtype';

/**
 * The elements as float32: exact for float16 and bfloat16 (NaN payloads included), rounded to nearest for float64 and
 * for integers beyond 2^24. A float32 tensor gives its own `data`.
 */
export function toFloat32(tensor: Pick<StoredTensor, 'dtype' | 'data'>): Float32Array {
  const { dtype, data } = tensor;
  if (data instanceof Float32Array) return data;
  if (dtype === 'bfloat16') return fromBits(data as Uint16Array, (bits) => bits << 16);
  if (dtype === 'float16') return fromBits(data as Uint16Array, halfToFloatBits);
  return Float32Array.from(asNumbers(data));
}

/** The elements as float64; integers beyond 2^53 are rounded. */
export function toFloat64(tensor: Pick<StoredTensor, 'dtype' | 'data'>): ArrayLike<number> {
  const { dtype, data } = tensor;
  return dtype === 'float16' || dtype === 'bfloat16' ? toFloat32({ dtype, data }) : asNumbers(data);
}

const asNumbers = (data: TensorData): Exclude<TensorData, BigInt64Array | BigUint64Array> =>
  data instanceof BigInt64Array || data instanceof BigUint64Array ? Float64Array.from(data, Number) : data;

function fromBits(source: Uint16Array, convert: (bits: number) => number): Float32Array {
  const bits = new Uint32Array(source.length);
  for (let i = 0; i < source.length; i++) bits[i] = convert(source[i]!);
  return new Float32Array(bits.buffer);
}

/** IEEE 754 binary16 -> binary32: both fields widened, the exponent's bias 15 becoming 127. */
function halfToFloatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const shift = Math.clz32(fraction) - 21; // a subnormal: its leading bit becomes the implied one
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

export interface Statistics {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Standard deviation of the population: divided by n. */
  readonly std: number;
  /** Elements that are NaN or infinite; the other figures leave them out. */
  readonly notFinite: number;
}

/** In float64; NaN for a tensor without finite elements. */
export function statistics(tensor: StoredTensor): Statistics {
  const values = toFloat64(tensor);
  let [count, mean, squares, min, max] = [0, 0, 0, Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    count++;
    const difference = value - mean; // Welford's running mean and sum of squares
    mean += difference / count;
    squares += difference * (value - mean);
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const notFinite = values.length - count;
  if (count === 0) return { min: NaN, max: NaN, mean: NaN, std: NaN, notFinite };
  return { min, max, mean, std: Math.sqrt(squares / count), notFinite };
}
