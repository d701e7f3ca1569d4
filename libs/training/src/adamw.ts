import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '@pyramidal/nn';
import { groupParameters, type Optimizer, type ParameterGroup } from './optimizer';
import { Slots } from './slots';

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
  const { paces, blocks } = groupParameters(parameters, { weightDecay, decayNormsAndBiases, groups });
  const [averages, squares] = [Slots.zeros(blocks), Slots.zeros(blocks)];

  return {
    parameters,
    blocks,
    slots: new Map([
      ['exp_avg', averages],
      ['exp_avg_sq', squares],
    ]),
    scalars(update, lr) {
      const correction = 1 - beta1 ** (update + 1);
      const entries = paces.flatMap(({ index, lrScale, weightDecay: decay }) => [
        [`stepSize${index}`, (lr * lrScale) / correction],
        [`keep${index}`, 1 - lr * lrScale * decay],
      ]);
      return { rootCorrection: Math.sqrt(1 - beta2 ** (update + 1)), ...Object.fromEntries(entries) };
    },
    apply({ of: gradients, unreached }, scalars) {
      for (const [block, gradient] of gradients) {
        const { index, weightDecay: decay } = block.pace;
        const [average, square] = [averages.of(block), squares.of(block)];
        average.assign(tf.add(average, tf.mul(tf.sub(gradient, average), 1 - beta1)));
        square.assign(tf.add(tf.mul(square, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
        const root = tf.add(tf.div(tf.sqrt(square), scalars['rootCorrection']!), epsilon);
        const change = tf.mul(tf.div(average, root), scalars[`stepSize${index}`]!);
        const values = block.values();
        const kept = decay === 0 ? values : tf.mul(values, scalars[`keep${index}`]!);
        block.assign(tf.sub(kept, change), unreached);
      }
    },
  };
}
