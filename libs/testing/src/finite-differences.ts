/** Gradients checked by finite differences. */
import * as tf from '@tensorflow/tfjs-core';
import { expectClose } from './closeness';

export interface GradientCheckOptions {
  /** Step of the central difference; float32 leaves about 1e-2 best for values around 1. */
  readonly step?: number;
  readonly rtol?: number;
  readonly atol?: number;
  /** At most so many elements of each input are tried, evenly spread. */
  readonly samples?: number;
}

/**
 * Compares the gradients of `f` with central differences. The output is contracted with fixed pseudo-random numbers,
 * so that no part of a gradient can hide behind a sum that cancels.
 * @param f from tensors to one float32 tensor.
 * @throws Error that names the input and element that differ.
 */
export async function checkGradients(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
  { step = 1e-2, rtol = 1e-2, atol = 2e-3, samples = 24 }: GradientCheckOptions = {},
): Promise<void> {
  const contract = (y: tf.Tensor): tf.Scalar => tf.sum(tf.mul(y, cotangent(y.shape)));
  const gradients = tf.grads((...xs: tf.Tensor[]) => contract(f(...xs)))([...inputs]);
  for (const [position, input] of inputs.entries()) {
    const analytic = await gradients[position]!.data();
    const values = await input.data();
    const indices = Array.from({ length: Math.min(samples, input.size) }, (_, k) =>
      Math.floor((k * input.size) / Math.min(samples, input.size)),
    );
    const numeric = indices.map((index) => {
      const at = (shift: number): number =>
        tf.tidy(() => {
          const moved = Float32Array.from(values);
          moved[index]! += shift;
          const shifted = inputs.map((x, k) => (k === position ? tf.tensor(moved, input.shape) : x));
          return contract(f(...shifted)).dataSync()[0]!;
        });
      return (at(step) - at(-step)) / (2 * step);
    });
    const chosen = indices.map((index) => analytic[index]!);
    expectClose(chosen, numeric, { rtol, atol }, `gradient of input ${position}`);
  }
  tf.dispose(gradients);
}

function cotangent(shape: number[]): tf.Tensor {
  const size = tf.util.sizeFromShape(shape);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1 + 1.7 * i)),
    shape,
  );
}
