/** AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) over blocks of parameters. */
import type * as tf from '@tensorflow/tfjs-core';
import { adamWUpdate } from '@pyramidal/graph';
import type { Parameter } from '@pyramidal/nn';
import { groupParameters, type Optimizer, type ParameterGroup } from './optimizer';
import { BlockState } from './block-state';

/** The settings of `adamW`; the defaults are PyTorch's. */
export interface AdamWOptions {
  readonly weightDecay?: number;
  readonly betas?: readonly [number, number];
  /** Added after the bias-corrected square root. */
  readonly epsilon?: number;
  /** Also decay biases and the scales of norms; default false. */
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
  const [averages, squares] = [BlockState.zeros(blocks), BlockState.zeros(blocks)];
  const joined = new BlockState(
    blocks.filter(({ parts }) => parts.length > 1),
    (block) => block.values(),
  );

  return {
    parameters,
    blocks,
    state: new Map([
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
    apply({ of: gradients, unreached }, scalars, applies) {
      const rootCorrection = scalars['rootCorrection'] as tf.Scalar;
      for (const [block, gradient] of gradients) {
        const { index, weightDecay: decay } = block.pace;
        const stepSize = scalars[`stepSize${index}`] as tf.Scalar;
        const keep = decay === 0 ? undefined : (scalars[`keep${index}`] as tf.Scalar);
        const update = (parameter: tf.Variable): void =>
          adamWUpdate(
            { parameter, average: averages.of(block), square: squares.of(block) },
            gradient,
            { stepSize, rootCorrection, keep },
            { beta1, beta2, epsilon },
            applies,
          );
        if (block.parts.length > 1) {
          const variable = joined.of(block);
          variable.assign(block.values());
          update(variable);
          block.assign(variable, unreached);
        } else for (const { name, parameter } of block.parts) if (!unreached.has(name)) update(parameter.variable);
      }
    },
    dispose: () => joined.dispose(),
  };
}
