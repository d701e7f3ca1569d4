/**
 * Head of Semantic FPN (Kirillov et al. 2019, section 3, "Panoptic Feature Pyramid Networks"), as MMSegmentation builds
 * it: every level brought to the finest size in steps of two, then summed.
 */
import * as tf from '@tensorflow/tfjs-core';
import { ConvModule, type ForwardPass, Module } from '@pyramidal/nn';
import { resizeBilinear } from '@pyramidal/kernels';
import { DecodeHead, type Maps } from './decode-head';
import { resizeTo } from './resize-to';

export interface SemanticFpnHeadOptions {
  /** Channels of the maps that come in, all of a neck's, from fine to coarse. */
  readonly inChannels: number;
  readonly levels: number;
  /** Width of the head; 128 in the published models. */
  readonly channels: number;
  readonly classes: number;
}

/** Doubles height and width. */
class Upsample extends Module {
  /** @param x float32 [N, H, W, C]. @returns float32 [N, 2 H, 2 W, C]. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const [, height, width] = x.shape;
    return resizeBilinear(x, [2 * height, 2 * width], { alignCorners: false });
  }
}

export class SemanticFpnHead extends DecodeHead {
  /** Level i has max(1, i) convolutions, each but level 0's followed by a doubling. */
  readonly scaleHeads: (ConvModule | Upsample)[][];

  constructor({ inChannels, levels, channels, classes }: SemanticFpnHeadOptions) {
    super(channels, classes);
    const conv = (step: number): ConvModule =>
      new ConvModule(step === 0 ? inChannels : channels, channels, { norm: 'batch' });
    this.scaleHeads = Array.from({ length: levels }, (_, level) =>
      level === 0 ? [conv(0)] : Array.from({ length: level }, (_, step) => [conv(step), new Upsample()]).flat(),
    );
  }

  protected decode(maps: Maps, pass: ForwardPass): tf.Tensor4D {
    if (maps.length !== this.scaleHeads.length) {
      throw new RangeError(`SemanticFpnHead: expected ${this.scaleHeads.length} maps, received ${maps.length}`);
    }
    const levels = this.scaleHeads.map((steps, i) => steps.reduce((x, step) => step.forward(x, pass), maps[i]!));
    return tf.addN(levels.map((level) => resizeTo(level, levels[0]!.shape)));
  }
}
