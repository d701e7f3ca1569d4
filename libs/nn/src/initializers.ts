/** Initial values of parameters, as PyTorch and the papers draw them. */
import { createRandom } from './random';

/** Fills a new parameter: its shape in PyTorch's order and a seed in, values in PyTorch's order out. */
export type Initializer = (torchShape: readonly number[], seed: number) => Float32Array;

export const zeros: Initializer = (shape) => new Float32Array(sizeOf(shape));

export const ones: Initializer = (shape) => new Float32Array(sizeOf(shape)).fill(1);

export const constant =
  (value: number): Initializer =>
  (shape) =>
    new Float32Array(sizeOf(shape)).fill(value);

/** The bias of class logits where objects are rare: any class has the probability 0.01 (Lin et al. 2017, section 4.1). */
export const rareClass: Initializer = constant(-Math.log((1 - 0.01) / 0.01));

/** Normal with mean 0, cut at two standard deviations (redrawn beyond). */
export const truncatedNormal =
  (std: number): Initializer =>
  (shape, seed) => {
    const { normal } = createRandom(seed);
    return drawn(shape, () => {
      let value = normal();
      while (value > 2 || value < -2) value = normal();
      return value * std;
    });
  };

export const normal =
  (std: number): Initializer =>
  (shape, seed) => {
    const random = createRandom(seed);
    return drawn(shape, () => random.normal() * std);
  };

/** Uniform in ±bound. */
export const uniform =
  (bound: number): Initializer =>
  (shape, seed) => {
    const random = createRandom(seed);
    return drawn(shape, () => (2 * random.uniform() - 1) * bound);
  };

/** Uniform in ±1 / sqrt(fan-in): what PyTorch gives convolutions and linear layers by default. */
export const fanInUniform: Initializer = (shape, seed) => uniform(1 / Math.sqrt(sizeOf(shape.slice(1))))(shape, seed);

/** Normal with variance 2 / fan-out (He et al. 2015); `groups` as the convolution has them. */
export const fanOutNormal =
  (groups = 1): Initializer =>
  (shape, seed) => {
    const [out = 1, , ...kernel] = shape;
    return normal(Math.sqrt((2 * groups) / (out * sizeOf(kernel))))(shape, seed);
  };

/** Uniform in ±sqrt(6 / (fan-in + fan-out)) (Glorot & Bengio 2010): what detection necks and fully connected heads start from. */
export const xavierUniform: Initializer = (shape, seed) => {
  const [out = 1, fanIn = 1, ...window] = shape;
  return uniform(Math.sqrt(6 / ((out + fanIn) * sizeOf(window))))(shape, seed);
};

function drawn(shape: readonly number[], draw: () => number): Float32Array {
  const values = new Float32Array(sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = draw();
  return values;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
