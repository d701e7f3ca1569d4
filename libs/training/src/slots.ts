import * as tf from '@tensorflow/tfjs-core';
import type { Block, Part } from './block';

/** State beside the parameters, one variable a block: moments, averages, sums. It is there from the start. */
export class Slots {
  private readonly variables: ReadonlyMap<Block, tf.Variable>;

  /** @param initial a tensor of the block's shape. */
  constructor(blocks: readonly Block[], initial: (block: Block) => tf.Tensor) {
    const make = (block: Block): tf.Variable => tf.tidy(() => tf.variable(tf.clone(initial(block)), false));
    this.variables = new Map(blocks.map((block) => [block, make(block)]));
  }

  static zeros(blocks: readonly Block[]): Slots {
    return new Slots(blocks, ({ shape }) => tf.zeros([...shape]));
  }

  of(block: Block): tf.Variable {
    return this.variables.get(block)!;
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

function readersOf({ parts }: Block, variable: tf.Variable): [string, () => Float32Array][] {
  if (parts.length === 1) return [[parts[0]!.name, () => variable.dataSync<'float32'>()]];
  // Many small parameters share a vector: it is fetched once, when the first of them is asked for.
  let joined: Float32Array | undefined;
  return parts.map(({ name, parameter: { size }, offset }) => [
    name,
    () => (joined ??= variable.dataSync<'float32'>()).subarray(offset, offset + size),
  ]);
}
