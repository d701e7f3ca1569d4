/** Stochastic gradient descent with momentum, as PyTorch's `SGD`. */
import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '@pyramidal/nn';
import { groupParameters, type Optimizer, type ParameterGroup } from './optimizer';
import { BlockState } from './block-state';

/** The settings of `sgd`; the defaults are PyTorch's. */
export interface SgdOptions {
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly weightDecay?: number;
  /** Also decay biases and the scales of norms; default true. */
  readonly decayNormsAndBiases?: boolean;
  readonly groups?: readonly ParameterGroup[];
}

/**
 * Stochastic gradient descent in the arithmetic of PyTorch's `SGD` (dampening 0): decay joins the gradient, the
 * momentum buffer holds gradients, the learning rate multiplies last.
 */
export function sgd(
  parameters: ReadonlyMap<string, Parameter>,
  { momentum = 0, nesterov = false, weightDecay = 0, decayNormsAndBiases = true, groups = [] }: SgdOptions = {},
): Optimizer {
  const { paces, blocks } = groupParameters(parameters, { weightDecay, decayNormsAndBiases, groups });
  const buffers = momentum === 0 ? undefined : BlockState.zeros(blocks);

  return {
    parameters,
    blocks,
    state: new Map(buffers === undefined ? [] : [['momentum', buffers]]),
    scalars: (_, lr) => Object.fromEntries(paces.map(({ index, lrScale }) => [`lr${index}`, lr * lrScale])),
    apply({ of: gradients, unreached }, scalars, applies) {
      for (const [block, gradient] of gradients) {
        const { index, weightDecay: decay } = block.pace;
        const values = block.values();
        const decayed = decay === 0 ? gradient : tf.add(gradient, tf.mul(values, decay));
        const direction = follow(decayed, buffers?.of(block), applies);
        const next = tf.sub(values, tf.mul(direction, scalars[`lr${index}`]!));
        block.assign(applies === undefined ? next : tf.where(applies, next, values), unreached);
      }
    },
  };

  // PyTorch's first buffer is the gradient itself, which is what zeros give.
  function follow(gradient: tf.Tensor, buffer: tf.Variable | undefined, applies: tf.Tensor | undefined): tf.Tensor {
    if (buffer === undefined) return gradient;
    const next = tf.add(tf.mul(buffer, momentum), gradient);
    buffer.assign(applies === undefined ? next : tf.where(applies, next, buffer));
    return nesterov ? tf.add(gradient, tf.mul(buffer, momentum)) : buffer;
  }
}
