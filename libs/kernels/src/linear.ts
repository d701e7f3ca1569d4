/** The fully connected layer's arithmetic. */
import * as tf from '@tensorflow/tfjs-core';
import { processorOps } from '#native-ops';
import { biasAdd } from './bias-add';
import { isTakingGradient } from './slope';

/**
 * x W + b. With the native engine's own operations on a processor it is one where no gradient is taken; in graphs, what follows it
 * element by element becomes part of it.
 * @param x float32 [R, I].
 * @param weight float32 [I, O].
 * @param bias float32 [O]; none unless given.
 * @returns float32 [R, O].
 */
export function linear(x: tf.Tensor2D, weight: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor2D {
  return tf.tidy(() => {
    const own = ownLinear(x, weight, bias);
    if (own !== null) return own;
    const product: tf.Tensor2D = tf.matMul(x, weight);
    return bias === undefined ? product : biasAdd(product, bias);
  });
}

/** Weights of more inputs do not stay in a processor's cache while rows go by. */
const MOST_INPUTS = 2048;

/** The same by an operation of this project's addon; null where that does not exist or is not faster, or a gradient is taken. */
export function ownLinear(x: tf.Tensor2D, weight: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor2D | null {
  const own = isTakingGradient() || weight.shape[0] > MOST_INPUTS ? null : processorOps({ isFloat32: true });
  if (own === null) return null;
  const attrs = [
    own.int('biases', bias === undefined ? 0 : 1),
    own.int('norms', 0),
    own.int('residuals', 0),
    own.float('epsilon', 0),
    own.string('activation', 'none'),
  ];
  return own.run<tf.Tensor2D>('PyramidalLinear', bias === undefined ? [x, weight] : [x, weight, bias], attrs);
}
