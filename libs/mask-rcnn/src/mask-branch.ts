/** The mask branch of a two-stage detector (He et al. 2017, section 3): what its heads learn, and the masks of detections. */
import * as tf from '@tensorflow/tfjs-core';
import { takeRows } from '@pyramidal/boxes';
import type { Detections, MaskTruth } from '@pyramidal/detector';
import { joinRois, type RoiFeatures, type RoiImages, rowOf, splitRows } from '@pyramidal/rois';
import type { ForwardPass } from '@pyramidal/nn';
import { MaskHead, type MaskHeadOptions, ownMasks } from './mask-head';
import { maskTargets } from './mask-targets';
import { mean } from './mean';
import type { RoiTargets } from './roi-targets';

export interface MaskBranchOptions extends Omit<MaskHeadOptions, 'classes' | 'channels'> {
  /** Side of the heads' RoI features. */
  readonly bins: number;
  /** Points per cell and axis with which ground truth masks are averaged. */
  readonly targetSampling: number | 'adaptive';
}

/** The heads' masks are twice as large as their features. */
const UPSAMPLING = 2;

/** Points of ground truth masks where the number depends on the RoI. */
const USUAL_SAMPLING = 4;

/** Side of ground truth masks, in cells: one for each point with which a mask as large as its object is averaged. */
export function maskSide({ bins, targetSampling }: MaskBranchOptions): number {
  return UPSAMPLING * bins * (targetSampling === 'adaptive' ? USUAL_SAMPLING : targetSampling);
}

export class MaskBranch {
  constructor(
    private readonly options: MaskBranchOptions & MaskHeadOptions,
    private readonly features: RoiFeatures,
  ) {}

  /** A head for one stage. */
  createHead(): MaskHead {
    return new MaskHead(this.options);
  }

  /**
   * Loss over the positives whose object has a mask; 0, with a gradient path, where there is none.
   * @param targets RoIs of every image. @param truth masks of every image.
   */
  loss(
    head: MaskHead,
    images: RoiImages,
    targets: readonly RoiTargets[],
    truth: readonly MaskTruth[],
    pass: ForwardPass,
  ): tf.Scalar {
    const { bins, targetSampling: sampling } = this.options;
    const perImage = truth.map((masks, image) => {
      const { boxes, rows, labels, positive } = positivesOf(targets[image]!);
      const options = { side: UPSAMPLING * bins, sampling };
      const hasMask = tf.cast(takeRows(masks.hasMask, rows), 'bool');
      return {
        boxes,
        labels,
        counted: tf.logicalAnd<tf.Tensor1D>(positive, hasMask),
        masks: maskTargets(masks, boxes, rows, rowOf(images.sizes, image), options),
      };
    });
    const features = this.features.of(images, joinRois(perImage.map(({ boxes }) => boxes)), bins);
    const labels = tf.concat(perImage.map((image) => image.labels));
    const counted = tf.concat(perImage.map((image) => image.counted));
    const masks = tf.concat(perImage.map((image) => image.masks));
    return head.loss(head.forward(features, pass), masks, labels, counted);
  }

  /**
   * Detections with their masks, the mean of the probabilities of several heads.
   * @param found of every image. @param scales float32 [N, 2], (y, x): the network's input over the original images.
   */
  addMasks(
    heads: readonly MaskHead[],
    images: RoiImages,
    found: readonly Detections[],
    scales: tf.Tensor2D,
    pass: ForwardPass,
  ): Detections[] {
    const boxes = found.map((image, i): tf.Tensor2D => tf.mul(image.boxes, tf.tile(tf.reverse(rowOf(scales, i)), [2])));
    const features = this.features.of(images, joinRois(boxes), this.options.bins);
    const labels = tf.concat(found.map((image) => image.labels));
    const masks = mean(heads.map((head) => tf.sigmoid(ownMasks(head.forward(features, pass), labels))));
    const perImage = splitRows(masks, boxes.map(({ shape }) => shape[0])); // prettier-ignore
    return found.map((image, i) => ({ ...image, masks: perImage[i]! }));
  }
}

/** The first rows, which hold all positives. */
function positivesOf({ boxes, truthRows, labels, positive, maxPositives }: RoiTargets) {
  const first = <T extends tf.Tensor>(values: T): T => tf.slice(values, 0, maxPositives);
  return { boxes: first(boxes), rows: first(truthRows), labels: first(labels), positive: first(positive) };
}
