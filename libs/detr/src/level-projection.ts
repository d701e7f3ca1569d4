/**
 * The levels that the transformer sees (Zhu et al. 2021, section 4.1): C3 to C5 in one width, and one more at stride 64
 * from C5, each through a convolution and a group norm.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type Backbone, Conv2d, GroupNorm, initializers, LEVELS, Module, type Neck } from '@pyramidal/nn';
import type { Names } from './transformer-layer';

/** How a published model names the parts of its projections. */
export interface ProjectionNames {
  /** Of the projections' lists. */
  readonly lists: Names;
  /** Of convolution and norm. */
  readonly parts: Names;
  /** Whether the level beyond C5 is in a list of its own. */
  readonly hasExtraList: boolean;
}

class ConvNorm extends Module {
  protected override readonly officialNames: Names;
  readonly conv: Conv2d;
  readonly norm: GroupNorm;

  constructor(inputs: number, channels: number, kernel: 1 | 3, names: Names) {
    super();
    const stride = kernel === 1 ? 1 : 2;
    this.officialNames = names;
    this.conv = new Conv2d(inputs, channels, kernel, { stride, init: initializers.xavierUniform });
    this.norm = new GroupNorm(channels);
  }

  /** @param map float32 [N, H, W, C]. @returns float32 [N, H / stride, W / stride, channels], rounded up. */
  forward(map: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => this.norm.forward(this.conv.forward(map)));
  }
}

export class LevelProjection extends Module implements Neck {
  protected override readonly officialNames: Names;
  readonly convs: ConvNorm[];
  readonly extraConvs: ConvNorm[];
  readonly strides: readonly number[];

  /** @throws RangeError if the channels do not make 32 groups. */
  constructor(
    { levels }: Pick<Backbone, 'levels'>,
    readonly channels: number,
    { lists, parts, hasExtraList }: ProjectionNames,
  ) {
    super();
    const used = LEVELS.slice(1).map((level) => levels[level]);
    const last = used.at(-1)!;
    this.officialNames = lists;
    this.convs = used.map((level) => new ConvNorm(level.channels, channels, 1, parts));
    this.extraConvs = [];
    (hasExtraList ? this.extraConvs : this.convs).push(new ConvNorm(last.channels, channels, 3, parts));
    this.strides = [...used.map(({ stride }) => stride), 2 * last.stride];
  }

  /**
   * @param maps float32 [N, H, W, C] of C2 to C5.
   * @returns float32 [N, H, W, channels] at strides 8 to 64.
   */
  forward(maps: readonly tf.Tensor4D[]): tf.Tensor4D[] {
    const used = maps.slice(1);
    return [...this.convs, ...this.extraConvs].map((conv, level) => conv.forward(used[level] ?? used.at(-1)!));
  }
}
