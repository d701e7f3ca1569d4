/** What the four stages of every family have in common: their sizes, their levels, their rates of stochastic depth. */
import type { ForwardPass, Level, LevelSpec, Module } from '@pyramidal/nn';
import * as tf from '@tensorflow/tfjs-core';

/** One value for each of the four stages. */
export type Stages<T = number> = readonly [T, T, T, T];

/** The sizes of a backbone's stages. */
export interface BackboneSizes {
  /** Channels of C2, C3, C4, C5. */
  readonly channels: Stages;
  /** Blocks of each stage. */
  readonly depths?: Stages;
  /** Hidden width of the blocks' MLPs over the channels. */
  readonly mlpRatios?: Stages;
  /** Stochastic depth: the rate at which whole branches of the last block are dropped in training. */
  readonly dropPath?: number;
}

/** A size that a family cannot have, or that it knows nothing of. */
export class SizeError extends Error {
  override readonly name = 'SizeError';
  /** What a program ends with: its configuration is wrong. */
  readonly exitCode = 2;

  constructor(
    /** Which of the sizes. */
    readonly size: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Checks the sizes that a family is given.
 * @param units what the channels of each stage have to be multiples of.
 * @throws SizeError in one line that names the first size that is impossible, and its stage.
 */
export function checkSizes(family: string, sizes: Required<BackboneSizes>, units: Stages): void {
  const fail = (size: keyof BackboneSizes, expected: string, received: number, stage: number): never => {
    throw new SizeError(size, `${family}: expected ${expected}, received ${received} in stage ${stage + 1}`);
  };
  sizes.channels.forEach((width, stage) => {
    const unit = units[stage]!;
    if (!isCount(width) || width % unit !== 0) fail('channels', `channels in multiples of ${unit}`, width, stage);
  });
  sizes.depths.forEach((depth, stage) => {
    if (!isCount(depth)) fail('depths', 'a whole number of blocks from 1 on', depth, stage);
  });
  sizes.mlpRatios.forEach((ratio, stage) => {
    if (!(hiddenWidth(sizes.channels[stage]!, ratio) >= 1))
      fail('mlpRatios', 'MLPs of at least one channel', ratio, stage);
  });
  if (sizes.dropPath >= 0 && sizes.dropPath < 1) return;
  throw new SizeError('dropPath', `${family}: expected a drop path from 0 to below 1, received ${sizes.dropPath}`);
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1;

/** Channels inside an MLP: rounded down, as every official code does. */
export const hiddenWidth = (channels: number, mlpRatio: number): number => Math.floor(channels * mlpRatio);

/** The ratio that gives an MLP its hidden width: exact where there is such, else half a channel above, to round down to it. */
export function mlpRatioOf(channels: number, hidden: number): number {
  const ratio = hidden / channels;
  return hiddenWidth(channels, ratio) === hidden ? ratio : (hidden + 0.5) / channels;
}

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

/** Three tensors of equal width that lie side by side in the last axis, such as queries, keys and values: [..., 3 C]. */
export function splitInThree<T extends tf.Tensor>(x: T): [T, T, T] {
  return tf.split<T>(x, 3, x.rank - 1) as [T, T, T];
}

interface Block extends Module {
  /** @param x float32 [N, H, W, C]. @returns the same shape. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D;
}

/** The map after every block in turn. @param x float32 [N, H, W, C]. @returns the same shape. */
export function throughBlocks(blocks: readonly Block[], x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
  return blocks.reduce((map, block) => pass.through([block], map, (input, now) => block.forward(input, now)), x);
}
