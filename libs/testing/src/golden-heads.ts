/** Reference numbers of heads: samples and statistics of large tensors. */
import { expectClose } from './closeness';
import { goldenNoise, goldenTensor, nchwToNhwc, samplePositions, type GoldenTarget } from './golden-formula';

/** What golden files keep of a large tensor, in PyTorch's order. */
export interface GoldenStats {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
  readonly samples: readonly number[];
}

/** A whole tensor as nested lists; "NaN" and "Infinity" are strings. */
export interface GoldenFull {
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
}

/** Changes of the formula's weights: `* scale`, then `+ shift`, each in float32; lists go along the last axis. */
export interface GoldenOverrides {
  readonly scale?: Readonly<Record<string, number | readonly number[]>>;
  readonly shift?: Readonly<Record<string, number | readonly number[]>>;
}

/** A named input [N, C, H, W] of a head, reordered to [N, H, W, C]. */
export function goldenMap(name: string, shape: readonly number[]): Float32Array {
  return nchwToNhwc(Float32Array.from(goldenNoise(name, shape)), shape);
}

/** Gives a part of a model the formula's weights; `prefix` is the part's place in the whole model's names. */
export function fillGoldenPart(part: GoldenTarget, prefix: string, { scale, shift }: GoldenOverrides = {}): void {
  for (const [key, parameter] of part.state()) {
    const name = prefix + key;
    const values = goldenTensor(name, parameter.torchShape);
    const [factor, offset] = [scale?.[name], shift?.[name]];
    if (factor !== undefined) values.forEach((value, i) => (values[i] = value * changeAt(factor, i)));
    if (offset !== undefined) values.forEach((value, i) => (values[i] = value + changeAt(offset, i)));
    parameter.assignTorch(values);
  }
}

const changeAt = (change: number | readonly number[], i: number): number =>
  typeof change === 'number' ? change : change[i % change.length]!;

/** The numbers of a whole tensor, in order. */
export function goldenValues({ data }: GoldenFull): number[] {
  return data.flat(Infinity).map(Number);
}

/** Values [N, H, W, C] in the order [N, C, H, W]. */
export function nhwcToNchw(values: Float32Array, [n = 0, h = 0, w = 0, c = 0]: readonly number[]): Float32Array {
  return nchwToNhwc(values, [n, h * w, c, 1]);
}

interface GoldenTolerance {
  readonly tolerance: number;
  /** max(1, |value|), or the tensor's largest magnitude. */
  readonly relativeTo?: 'value' | 'max';
  /** Number of a sample that is not compared. */
  readonly except?: number | undefined;
}

/**
 * Asserts that samples, mean, deviation and extremes are the golden ones.
 * @param values in PyTorch's order.
 */
export function expectGoldenStats(
  values: Float32Array,
  golden: GoldenStats,
  { tolerance, relativeTo = 'value', except }: GoldenTolerance,
  what: string,
): void {
  const size = golden.shape.reduce((product, length) => product * length, 1);
  if (values.length !== size) throw new Error(`${what}: expected ${size} values, received ${values.length}`);
  const positions = samplePositions(size, golden.samples.length);
  const { mean, std, min, max, samples } = golden;
  const compared = positions.map((position, i) => (i === except ? samples[i]! : values[position]!));
  const received = [...compared, ...Object.values(describeValues(values))];
  const expected = [...samples, mean, std, min, max];
  const atol = tolerance * (relativeTo === 'value' ? 1 : Math.max(Math.abs(min), Math.abs(max)));
  expectClose(received, expected, { atol, rtol: relativeTo === 'value' ? tolerance : 0 }, what);
}

function describeValues(values: Float32Array): { mean: number; std: number; min: number; max: number } {
  let [sum, squares, min, max] = [0, 0, Infinity, -Infinity];
  for (const value of values) {
    sum += value;
    squares += value * value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const mean = sum / values.length;
  return { mean, std: Math.sqrt(Math.max(squares / values.length - mean * mean, 0)), min, max };
}
