/**
 * Feature pyramid network (Lin et al. 2017, section 3), in MMDetection's form: no norm, no activation, and levels
 * beyond the backbone's from a stride-2 max pool (Mask R-CNN) or stride-2 convolutions (RetinaNet).
 */
import * as tf from '@tensorflow/tfjs-core';
import { Conv2d, initializers, Module, type Neck } from '@pyramidal/nn';
import { resizeNearest } from '@pyramidal/kernels';

/** The levels that come in and the maps that go out. */
export interface FpnOptions {
  /** Channels and strides of the maps that come in, finest first. */
  readonly levels: readonly { readonly channels: number; readonly stride: number }[];
  /** Channels of every output. */
  readonly channels: number;
  /** Number of outputs. */
  readonly outputs: number;
  /** First of the incoming maps that is used; default 0. */
  readonly startLevel?: number;
  /**
   * Where levels beyond the incoming ones come from: every second cell of the last output, or convolutions on the last
   * incoming map ('on-input') or the last output ('on-output'); default 'subsample'.
   */
  readonly extra?: 'subsample' | 'on-input' | 'on-output';
  /** A ReLU before every extra convolution but the first; default false. */
  readonly reluBeforeExtra?: boolean;
}

/** The convolution of a level; its field is part of the official name. */
class LevelConv extends Module {
  readonly conv: Conv2d;

  constructor(inChannels: number, outChannels: number, kernel: number, stride = 1) {
    super();
    const padding = (kernel - 1) / 2;
    this.conv = new Conv2d(inChannels, outChannels, kernel, { stride, padding, init: initializers.xavierUniform });
  }

  /** @param x float32 [N, H, W, C']. @returns float32 [N, H / stride, W / stride, C], rounded up. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return this.conv.forward(x);
  }
}

/** Pyramid of maps of one width, from a backbone's levels. */
export class Fpn extends Module implements Neck {
  readonly lateralConvs: LevelConv[];
  readonly fpnConvs: LevelConv[];
  /** Pixels of the image per cell, for each output. */
  readonly strides: readonly number[];
  readonly channels: number;
  private readonly options: Required<FpnOptions>;

  constructor(options: FpnOptions) {
    super();
    this.options = { startLevel: 0, extra: 'subsample', reluBeforeExtra: false, ...options };
    const { levels, channels, outputs, startLevel, extra } = this.options;
    const used = levels.slice(startLevel);
    const last = used.at(-1);
    if (last === undefined || outputs < used.length) {
      throw new RangeError(`Fpn: expected at least ${used.length || 1} outputs of its levels, received ${outputs}`);
    }
    this.channels = channels;
    const beyond = Array.from({ length: outputs - used.length }, (_, i) => last.stride * 2 ** (i + 1));
    this.strides = [...used.map(({ stride }) => stride), ...beyond];
    this.lateralConvs = used.map((level) => new LevelConv(level.channels, channels, 1));
    this.fpnConvs = used.map(() => new LevelConv(channels, channels, 3));
    if (extra === 'subsample') return;
    beyond.forEach((_, i) => {
      const from = i === 0 && extra === 'on-input' ? last.channels : channels;
      this.fpnConvs.push(new LevelConv(from, channels, 3, 2));
    });
  }

  /**
   * @param maps float32 [N, H, W, C] of every level, finest first; sizes need not halve exactly.
   * @returns float32 [N, H, W, channels] of every output, finest first.
   */
  forward(maps: readonly tf.Tensor4D[]): tf.Tensor4D[] {
    const { levels, startLevel } = this.options;
    if (maps.length !== levels.length) {
      throw new RangeError(`Fpn: expected ${levels.length} maps, received ${maps.length}`);
    }
    return tf.tidy(() => {
      const used = maps.slice(startLevel);
      const merged = this.mergeDown(used.map((map, i) => this.lateralConvs[i]!.forward(map)));
      const outputs = merged.map((map, i) => this.fpnConvs[i]!.forward(map));
      while (outputs.length < this.strides.length) outputs.push(this.beyond(outputs, used));
      return outputs;
    });
  }

  /** Adds to every map the coarser one above it, which was added to before. */
  private mergeDown(laterals: tf.Tensor4D[]): tf.Tensor4D[] {
    return laterals.reduceRight<tf.Tensor4D[]>((merged, lateral) => {
      const [above] = merged;
      const [, height, width] = lateral.shape;
      return [above === undefined ? lateral : tf.add(lateral, resizeNearest(above, [height, width])), ...merged];
    }, []);
  }

  /** The next level after the outputs so far. */
  private beyond(outputs: readonly tf.Tensor4D[], used: readonly tf.Tensor4D[]): tf.Tensor4D {
    const { extra, reluBeforeExtra } = this.options;
    const last = outputs.at(-1)!;
    if (extra === 'subsample') return everySecondCell(last);
    const isFirst = outputs.length === used.length;
    const from = isFirst && extra === 'on-input' ? used.at(-1)! : last;
    return this.fpnConvs[outputs.length]!.forward(!isFirst && reluBeforeExtra ? tf.relu(from) : from);
  }
}

/** Max pooling with a window of one cell and stride 2, out of operations that every engine differentiates. */
function everySecondCell(map: tf.Tensor4D): tf.Tensor4D {
  const [n, height, width, channels] = map.shape;
  const [h, w] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const even = tf.pad(map, [
    [0, 0],
    [0, 2 * h - height],
    [0, 2 * w - width],
    [0, 0],
  ]);
  const rows = tf.slice(tf.reshape(even, [n * h, 4 * w * channels]), [0, 0], [-1, 2 * w * channels]);
  return tf.reshape(tf.slice(tf.reshape(rows, [n * h * w, 2 * channels]), [0, 0], [-1, channels]), [n, h, w, channels]);
}
