/** What is subtracted from pixel values and what they are divided by, in units of 0 to 255. */
import type { Rgb } from './rgb-image';

/** Pixel values become `(value - mean) / std`, in units of 0 to 255. */
export interface Normalisation {
  readonly mean: Rgb;
  readonly std: Rgb;
}

/** Of ImageNet, as torchvision, timm, MMDetection and MMSegmentation state it. */
export const IMAGENET_NORMALISATION: Normalisation = {
  mean: [123.675, 116.28, 103.53],
  std: [58.395, 57.12, 57.375],
};
