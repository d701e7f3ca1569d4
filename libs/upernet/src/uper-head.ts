/**
 * UPerNet's decode head (Xiao et al. 2018, section 3.1), as MMSegmentation builds it: pyramid pooling on the coarsest
 * map, a feature pyramid below it, all levels fused at the finest size.
 */
import * as tf from '@tensorflow/tfjs-core';
import { ConvModule, type ForwardPass } from '@pyramidal/nn';
import { DecodeHead, type Maps } from './decode-head';
import { createScales, poolPyramid, POOL_SCALES, type PoolScale } from './pyramid-pooling';
import { resizeTo } from './resize-to';

export interface UperHeadOptions {
  /** Channels of the maps that come in, from fine to coarse. */
  readonly inChannels: readonly number[];
  /** Width of the head; 512 in the published models. */
  readonly channels: number;
  readonly classes: number;
}

export class UperHead extends DecodeHead {
  readonly pspModules: PoolScale[];
  readonly bottleneck: ConvModule;
  readonly lateralConvs: ConvModule[];
  readonly fpnConvs: ConvModule[];
  readonly fpnBottleneck: ConvModule;

  constructor({ inChannels, channels, classes }: UperHeadOptions) {
    super(channels, classes);
    const finer = inChannels.slice(0, -1);
    const coarsest = inChannels.at(-1)!;
    this.pspModules = createScales(coarsest, channels);
    this.bottleneck = new ConvModule(coarsest + POOL_SCALES.length * channels, channels, { norm: 'batch' });
    this.lateralConvs = finer.map((width) => new ConvModule(width, channels, { kernel: 1, norm: 'batch' }));
    this.fpnConvs = finer.map(() => new ConvModule(channels, channels, { norm: 'batch' }));
    this.fpnBottleneck = new ConvModule(inChannels.length * channels, channels, { norm: 'batch' });
  }

  protected decode(maps: Maps, pass: ForwardPass): tf.Tensor4D {
    if (maps.length !== this.lateralConvs.length + 1) {
      throw new RangeError(`UperHead: expected ${this.lateralConvs.length + 1} maps, received ${maps.length}`);
    }
    const pooled = poolPyramid(this.pspModules, maps.at(-1)!, pass);
    const levels = this.lateralConvs.map((lateral, i) => lateral.forward(maps[i]!, pass));
    levels.push(this.bottleneck.forwardResized(pooled, pass));
    for (let i = levels.length - 2; i >= 0; i--) {
      levels[i] = tf.add(levels[i]!, resizeTo(levels[i + 1]!, levels[i]!.shape));
    }
    const outputs = levels.map((level, i) => this.fpnConvs[i]?.forward(level, pass) ?? level);
    return this.fpnBottleneck.forwardResized(outputs, pass);
  }
}
