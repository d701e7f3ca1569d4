/** How parameters are grouped for an update: large ones alone, small ones side by side in one vector. */
import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '@pyramidal/nn';

/** How fast parameters learn. */
export interface Pace {
  readonly index: number;
  /** Factor on the learning rate. */
  readonly lrScale: number;
  readonly weightDecay: number;
}

/** A parameter's place in its block. */
export interface Part {
  readonly name: string;
  readonly parameter: Parameter;
  /** Where its values begin. */
  readonly offset: number;
}

/**
 * Parameters that are updated together: a large one alone, in its own shape, or all small ones of a pace side by side
 * in one vector. Networks have hundreds of small parameters, and a dozen operations for each cost more than the values.
 */
export class ParameterBlock {
  readonly parts: readonly Part[];
  readonly shape: readonly number[];

  constructor(
    readonly pace: Pace,
    parameters: ReadonlyMap<string, Parameter>,
  ) {
    let size = 0;
    this.parts = [...parameters].map(([name, parameter]) => {
      const offset = size;
      size += parameter.size;
      return { name, parameter, offset };
    });
    const [first, ...others] = this.parts;
    this.shape = first !== undefined && others.length === 0 ? first.parameter.shape : [size];
  }

  /** Tensors of the parameters' shapes as one tensor of the block's shape; zeros where there is none. */
  join(tensorOf: (part: Part) => tf.Tensor | undefined): tf.Tensor {
    const tensors = this.parts.map((part) => tensorOf(part) ?? tf.zeros([...part.parameter.shape]));
    const [first, ...others] = tensors;
    if (first !== undefined && others.length === 0) return first;
    return tf.concat1d(tensors.map((tensor) => tf.reshape(tensor, [-1])));
  }

  /** The values of the parameters now. */
  values(): tf.Tensor {
    return this.join(({ parameter }) => parameter.variable);
  }

  /** Gives the parameters the values of a tensor of the block's shape, all but some of them. */
  assign(joined: tf.Tensor, except: ReadonlySet<string> = new Set()): void {
    const sizes = this.parts.map(({ parameter }) => parameter.size);
    const tensors = this.parts.length === 1 ? [joined] : tf.split(joined, sizes);
    for (const [i, { name, parameter }] of this.parts.entries()) {
      if (!except.has(name)) parameter.variable.assign(tf.reshape(tensors[i]!, [...parameter.shape]));
    }
  }
}

/** Above this many values, moving a parameter costs more than operations of its own. */
const LARGE = 2 ** 15;

/** Puts parameters into blocks, each of one pace. */
export function makeBlocks(
  parameters: ReadonlyMap<string, Parameter>,
  paceOf: ReadonlyMap<string, Pace>,
): ParameterBlock[] {
  const large: ParameterBlock[] = [];
  const small = new Map<Pace, Map<string, Parameter>>();
  for (const [name, parameter] of parameters) {
    const pace = paceOf.get(name)!;
    if (parameter.size > LARGE) large.push(new ParameterBlock(pace, new Map([[name, parameter]])));
    else small.set(pace, (small.get(pace) ?? new Map<string, Parameter>()).set(name, parameter));
  }
  return [...large, ...[...small].map(([pace, members]) => new ParameterBlock(pace, members))];
}
