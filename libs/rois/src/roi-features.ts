/** Features of the RoIs of a batch, and the lists of all images joined and split again. */
import * as tf from '@tensorflow/tfjs-core';
import type { Rois } from './roi-align';
import { extractRois } from './roi-extractor';

/** The images that RoIs lie on. */
export interface RoiImages {
  /** float32 [N, H, W, C] each, finest first; RoIs are read from those of the backbone's levels. */
  readonly maps: readonly tf.Tensor4D[];
  /** float32 [N, 2], (height, width) of each image. */
  readonly sizes: tf.Tensor2D;
}

/** RoIs are read from the maps of the backbone's levels, not from those beyond. */
const ROI_LEVELS = 4;

/** Reads RoIs with one way of sampling from the maps of one pyramid. */
export class RoiFeatures {
  private readonly strides: readonly number[];

  /** @param strides of all maps, finest first. @param sampling points per bin and axis. */
  constructor(
    strides: readonly number[],
    private readonly sampling: number | 'adaptive',
  ) {
    this.strides = strides.slice(0, ROI_LEVELS);
  }

  /** @returns float32 [R, bins, bins, C]. */
  of({ maps }: Pick<RoiImages, 'maps'>, rois: Rois, bins: number): tf.Tensor4D {
    const options = { bins: [bins, bins], sampling: this.sampling } as const;
    return extractRois(maps.slice(0, ROI_LEVELS), this.strides, rois, options);
  }
}

/** The boxes of all images in one list. @param perImage float32 [R, 4], xyxy, each. */
export function joinRois(perImage: readonly tf.Tensor2D[]): Rois {
  const images = perImage.map((boxes, image): tf.Tensor1D => tf.fill([boxes.shape[0]], image, 'int32'));
  return { boxes: tf.concat([...perImage]), images: tf.concat(images) };
}

/** The rows of every image from those of all. */
export function splitRows<T extends tf.Tensor>(joined: T, counts: number[]): T[] {
  return tf.split(joined, counts);
}

/** One row of pairs [N, 2], as [2]. */
export function rowOf(pairs: tf.Tensor2D, row: number): tf.Tensor1D {
  return tf.reshape(tf.slice(pairs, row, 1), [2]);
}
