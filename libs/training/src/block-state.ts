/** What an update keeps beside the parameters (moments, averages, sums), block by block. */
import * as tf from '@tensorflow/tfjs-core';
import type { ParameterBlock, Part } from './parameter-block';

/** State beside the parameters, one variable a block: moments, averages, sums. It is there from the start. */
export class BlockState {
  private readonly variables: ReadonlyMap<ParameterBlock, tf.Variable>;

  /** @param initial a tensor of the block's shape. */
  constructor(blocks: readonly ParameterBlock[], initial: (block: ParameterBlock) => tf.Tensor) {
    const make = (block: ParameterBlock): tf.Variable => tf.tidy(() => tf.variable(tf.clone(initial(block)), false));
    this.variables = new Map(blocks.map((block) => [block, make(block)]));
  }

  static zeros(blocks: readonly ParameterBlock[]): BlockState {
    return new BlockState(blocks, ({ shape }) => tf.zeros([...shape]));
  }

  of(block: ParameterBlock): tf.Variable {
    return this.variables.get(block)!;
  }

  /** The variables that hold it. */
  get all(): IterableIterator<tf.Variable> {
    return this.variables.values();
  }

  /** Functions that fetch a parameter's part of the state, in our order, by the parameter's name. */
  readers(): Map<string, () => Float32Array> {
    return new Map([...this.variables].flatMap(([block, variable]) => readersOf(block, variable)));
  }

  /** Takes other values, each parameter's in our order. */
  restore(valuesOf: (part: Part) => Float32Array): void {
    for (const [block, variable] of this.variables) {
      const joined = new Float32Array(variable.size);
      for (const part of block.parts) joined.set(valuesOf(part), part.offset);
      tf.tidy(() => variable.assign(tf.tensor(joined, variable.shape)));
    }
  }

  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
  }
}

function readersOf({ parts }: ParameterBlock, variable: tf.Variable): [string, () => Float32Array][] {
  const [first, ...others] = parts;
  if (first !== undefined && others.length === 0) return [[first.name, () => variable.dataSync<'float32'>()]];
  // Many small parameters share a vector: it is fetched once, when the first of them is asked for.
  let joined: Float32Array | undefined;
  return parts.map(({ name, parameter: { size }, offset }) => [
    name,
    () => (joined ??= variable.dataSync<'float32'>()).subarray(offset, offset + size),
  ]);
}
