/** Layer normalisation by operations of this project's addon, in one pass over memory each. */
import type * as tf from '@tensorflow/tfjs-core';
import { processorOps } from '#native-ops';

/** Normalised rows, with what their gradients need. */
export interface DifferentiableRows {
  /** float32 [R, C]. */
  readonly y: tf.Tensor;
  readonly saved: readonly tf.Tensor[];
  /** Of rows, scale and offset. @param dy float32 [R, C]. @param saved as above. */
  readonly gradients: (dy: tf.Tensor2D, saved: readonly tf.Tensor[]) => readonly tf.Tensor[];
}

/** What is normalised: x float32 [R, C], scale and offset float32 [C]. */
type Inputs = readonly [x: tf.Tensor2D, scale: tf.Tensor1D, offset: tf.Tensor1D];

/** @returns float32 [R, C]; null where there is no such operation. */
export function ownLayerNorm(inputs: Inputs, epsilon: number): tf.Tensor2D | null {
  const own = processorOps();
  return own && own.run<tf.Tensor2D>('PyramidalLayerNorm', inputs, [own.float('epsilon', epsilon)]);
}

/** The same with gradients, for which each row, its mean and its deviation are kept. */
export function ownDifferentiableLayerNorm(inputs: Inputs, epsilon: number): DifferentiableRows | null {
  const own = processorOps();
  if (own === null) return null;
  const [x, scale] = inputs;
  const outputs = own.runMany('PyramidalLayerNormKept', inputs, [own.float('epsilon', epsilon)], 3);
  const [y, means, inverseStds] = outputs as [tf.Tensor, tf.Tensor, tf.Tensor];
  return {
    y,
    saved: [x, means, inverseStds, scale],
    gradients: (dy, saved) => own.runMany('PyramidalLayerNormGrad', [dy, ...saved], [], 3),
  };
}
