import type { ForwardPass, Level, LevelSpec, Module } from '@pyramidal/nn';
import type * as tf from '@tensorflow/tfjs-core';

/** One value for each of the four stages. */
export type Stages<T = number> = readonly [T, T, T, T];

/** C2 to C5 at strides 4 to 32. */
export function pyramidLevels([c2, c3, c4, c5]: Stages): Readonly<Record<Level, LevelSpec>> {
  return {
    C2: { stride: 4, channels: c2 },
    C3: { stride: 8, channels: c3 },
    C4: { stride: 16, channels: c4 },
    C5: { stride: 32, channels: c5 },
  };
}

/** The number that a pattern finds in a parameter's name. */
export function numberIn(name: string, pattern: RegExp): number | undefined {
  const digits = pattern.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** One rate a block, rising evenly from 0 to `last` over all stages. */
export function linearRates(depths: Stages, last: number): Stages<number[]> {
  const total = depths.reduce((sum, depth) => sum + depth, 0);
  let block = 0;
  const rates = (depth: number): number[] => {
    return Array.from({ length: depth }, () => (last * block++) / Math.max(total - 1, 1));
  };
  const [first, second, third, fourth] = depths;
  return [rates(first), rates(second), rates(third), rates(fourth)];
}

interface Block extends Module {
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D;
}

/** The map after every block in turn. */
export function throughBlocks(blocks: readonly Block[], x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
  return blocks.reduce((map, block) => pass.through([block], map, (input, now) => block.forward(input, now)), x);
}
