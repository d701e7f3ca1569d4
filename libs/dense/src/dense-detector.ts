/** The one-stage detector (Lin et al. 2017, RetinaNet): a feature pyramid of levels P3 to P7 and one dense head on all of them. */
import * as tf from '@tensorflow/tfjs-core';
import {
  type DetectionLosses,
  type Detections,
  Detector,
  type DetectorParts,
  type DrawKeys,
  fields,
  type ImageBatch,
  type TruthBatch,
  truthOfImages,
} from '@pyramidal/detector';
import { Fpn, type FpnOptions } from '@pyramidal/fpn';
import { type Backbone, type ForwardPass, LEVELS, type Neck } from '@pyramidal/nn';
import { z } from 'zod';
import type { DenseDetectionOptions, DenseHead } from './dense-head';

export abstract class DenseDetector<H extends DenseHead> extends Detector {
  /** @param neck a pyramid of levels P3 to P7. */
  constructor(
    backbone: Backbone,
    neck: Neck,
    readonly bboxHead: H,
    private readonly detections: DenseDetectionOptions,
  ) {
    super(backbone, neck);
  }

  /** Learns from every anchor: nothing is drawn at random. */
  override loss(
    { images, sizes }: ImageBatch,
    truth: TruthBatch,
    _drawKeys: DrawKeys,
    pass: ForwardPass,
  ): DetectionLosses {
    const levels = this.bboxHead.forward(this.pyramid(images, pass), pass);
    const parts = this.bboxHead.loss(levels, truthOfImages(truth), sizes);
    return { loss: tf.addN(Object.values(parts)), ...parts };
  }

  override predict({ images, sizes }: ImageBatch, scales: tf.Tensor2D, pass: ForwardPass): Detections[] {
    return tf.tidy(() => {
      const levels = this.bboxHead.forward(this.pyramid(images, pass), pass);
      return this.bboxHead.detect(levels, sizes, scales, this.detections);
    });
  }
}

/** Levels P3 to P7: those of C3 to C5 and two beyond, by convolutions. @param extra what these start from. */
export function denseNeck(
  { backbone, neckChannels: channels }: DetectorParts,
  extra: NonNullable<FpnOptions['extra']>,
): Fpn {
  const levels = LEVELS.map((level) => backbone.levels[level]);
  return new Fpn({ levels, channels, outputs: 5, startLevel: 1, extra });
}

/** Settings of every one-stage detector; the published values are the defaults. */
export const denseFields = (published: {
  readonly convs: number;
  readonly hidden: number;
  readonly detections: DenseDetectionOptions;
}) => ({
  ignoreShare: fields.ignoreShare,
  convs: z.int().min(0).default(published.convs).describe('Convolutions of each tower.'),
  hidden: fields.count.default(published.hidden).describe('Width of the towers.'),
  detections: fields.detectionsOfLevels(published.detections),
});
