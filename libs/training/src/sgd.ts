import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '@pyramidal/nn';
import { assignPaces, prefixed, zeroSlots, type Optimizer, type ParameterGroup } from './optimizer';

export interface SgdOptions {
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly weightDecay?: number;
  /** Also decay biases and the scales of norms. */
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
  const { paces, paceOf } = assignPaces(parameters, { weightDecay, decayNormsAndBiases, groups });
  const buffers = momentum === 0 ? undefined : zeroSlots(parameters);
  const slots = new Map(buffers === undefined ? [] : prefixed('momentum', buffers));

  return {
    parameters,
    slots,
    scalars: (_, lr) => Object.fromEntries(paces.map(({ index, lrScale }) => [`lr${index}`, lr * lrScale])),
    apply(gradients, scalars) {
      for (const [name, gradient] of gradients) {
        const { variable } = parameters.get(name)!;
        const { index, weightDecay: decay } = paceOf.get(name)!;
        const decayed = decay === 0 ? gradient : tf.add(gradient, tf.mul(variable, decay));
        const direction = follow(decayed, buffers?.get(name)!.variable);
        variable.assign(tf.sub(variable, tf.mul(direction, scalars[`lr${index}`]!)));
      }
    },
    dispose: () => slots.forEach(({ variable }) => variable.dispose()),
  };

  // PyTorch's first buffer is the gradient itself, which is what zeros give.
  function follow(gradient: tf.Tensor, buffer: tf.Variable | undefined): tf.Tensor {
    if (buffer === undefined) return gradient;
    buffer.assign(tf.add(tf.mul(buffer, momentum), gradient));
    return nesterov ? tf.add(gradient, tf.mul(buffer, momentum)) : buffer;
  }
}
