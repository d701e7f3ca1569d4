/** Fully convolutional head (Long et al. 2015), as MMSegmentation builds it: UPerNet's auxiliary head on one map. */
import * as tf from '@tensorflow/tfjs-core';
import { ConvModule, type ForwardPass } from '@pyramidal/nn';
import { DecodeHead, type Maps } from './decode-head';

export interface FcnHeadOptions {
  /** Which of the maps it reads, from 0. */
  readonly index: number;
  /** Channels of that map. */
  readonly inChannels: number;
  /** Width of the head; with no convolutions it must be that of the map. */
  readonly channels: number;
  readonly classes: number;
  /** 3 x 3 convolutions before the classes are told apart. */
  readonly convs: number;
  /** Join the map with what the convolutions make of it. */
  readonly concatInput?: boolean;
}

export class FcnHead extends DecodeHead {
  readonly convs: ConvModule[];
  readonly convCat: ConvModule | undefined;
  private readonly index: number;

  constructor({ index, inChannels, channels, classes, convs, concatInput = false }: FcnHeadOptions) {
    super(channels, classes);
    if (convs === 0 && inChannels !== channels) {
      throw new RangeError(
        `FcnHead: expected ${inChannels} channels as its map without convolutions, received ${channels}`,
      );
    }
    this.convs = Array.from(
      { length: convs },
      (_, i) => new ConvModule(i === 0 ? inChannels : channels, channels, { norm: 'batch' }),
    );
    this.convCat = concatInput ? new ConvModule(inChannels + channels, channels, { norm: 'batch' }) : undefined;
    this.index = index;
  }

  protected decode(maps: Maps, pass: ForwardPass): tf.Tensor4D {
    const map = maps[this.index];
    if (map === undefined) throw new RangeError(`FcnHead: expected a map ${this.index}, received ${maps.length} maps`);
    const x = this.convs.reduce((y, conv) => conv.forward(y, pass), map);
    return this.convCat?.forward(tf.concat([map, x], 3), pass) ?? x;
  }
}
