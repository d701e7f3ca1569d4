import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '@pyramidal/nn';
import { assignPaces, prefixed, zeroSlots, type Optimizer, type ParameterGroup } from './optimizer';

export interface AdamWOptions {
  readonly weightDecay?: number;
  readonly betas?: readonly [number, number];
  /** Added after the bias-corrected square root. */
  readonly epsilon?: number;
  /** Also decay biases and the scales of norms. */
  readonly decayNormsAndBiases?: boolean;
  readonly groups?: readonly ParameterGroup[];
}

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019), in the arithmetic of PyTorch's `AdamW`. */
export function adamW(
  parameters: ReadonlyMap<string, Parameter>,
  {
    weightDecay = 0.01,
    betas: [beta1, beta2] = [0.9, 0.999],
    epsilon = 1e-8,
    decayNormsAndBiases = false,
    groups = [],
  }: AdamWOptions = {},
): Optimizer {
  const { paces, paceOf } = assignPaces(parameters, { weightDecay, decayNormsAndBiases, groups });
  const [averages, squares] = [zeroSlots(parameters), zeroSlots(parameters)];
  const slots = new Map([...prefixed('exp_avg', averages), ...prefixed('exp_avg_sq', squares)]);

  return {
    parameters,
    slots,
    scalars(update, lr) {
      const correction = 1 - beta1 ** (update + 1);
      const entries = paces.flatMap(({ index, lrScale, weightDecay: decay }) => [
        [`stepSize${index}`, (lr * lrScale) / correction],
        [`keep${index}`, 1 - lr * lrScale * decay],
      ]);
      return { rootCorrection: Math.sqrt(1 - beta2 ** (update + 1)), ...Object.fromEntries(entries) };
    },
    apply(gradients, scalars) {
      for (const [name, gradient] of gradients) {
        const { variable } = parameters.get(name)!;
        const { index, weightDecay: decay } = paceOf.get(name)!;
        const average = averages.get(name)!.variable;
        const square = squares.get(name)!.variable;
        average.assign(tf.add(average, tf.mul(tf.sub(gradient, average), 1 - beta1)));
        square.assign(tf.add(tf.mul(square, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
        const root = tf.add(tf.div(tf.sqrt(square), scalars['rootCorrection']!), epsilon);
        const change = tf.mul(tf.div(average, root), scalars[`stepSize${index}`]!);
        const kept = decay === 0 ? variable : tf.mul(variable, scalars[`keep${index}`]!);
        variable.assign(tf.sub(kept, change));
      }
    },
    dispose: () => slots.forEach(({ variable }) => variable.dispose()),
  };
}
