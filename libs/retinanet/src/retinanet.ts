/** RetinaNet (Lin et al. 2017) on levels P3 to P7 of a feature pyramid, with MMDetection's semantics and names. */
import * as tf from '@tensorflow/tfjs-core';
import {
  type DetectionLosses,
  Detector,
  type DrawKeys,
  type Detections,
  type ImageBatch,
  type Neck,
  type TruthBatch,
  truthOfImages,
} from '@pyramidal/boxes';
import type { Backbone, ForwardPass } from '@pyramidal/nn';
import { type RetinaDetectionOptions, RetinaHead, type RetinaHeadOptions } from './retina-head';

export interface RetinaNetOptions extends Omit<RetinaHeadOptions, 'channels' | 'anchors'> {
  readonly anchors: { readonly scales: readonly number[]; readonly ratios: readonly number[] };
  readonly detections: RetinaDetectionOptions;
}

/** The published settings; `classes` is the data's. */
export const RETINANET_DEFAULTS = {
  anchors: { scales: [4, 4 * 2 ** (1 / 3), 4 * 2 ** (2 / 3)], ratios: [0.5, 1, 2] },
  convs: 4,
  hidden: 256,
  match: { positiveIou: 0.5, negativeIou: 0.4, lowQuality: { minIou: 0 } },
  focal: { alpha: 0.25, gamma: 2 },
  beta: 0,
  detections: { perLevel: 1000, scoreThreshold: 0.05, iouThreshold: 0.5, count: 100 },
} as const satisfies Omit<RetinaNetOptions, 'classes'>;

export class RetinaNet extends Detector {
  readonly bboxHead: RetinaHead;
  readonly #detections: RetinaDetectionOptions;

  /** @param neck a pyramid of levels P3 to P7. */
  constructor(backbone: Backbone, neck: Neck, { detections, anchors, ...head }: RetinaNetOptions) {
    super(backbone, neck);
    const { channels, strides } = neck;
    this.bboxHead = new RetinaHead({ ...head, channels, anchors: { ...anchors, strides } });
    this.#detections = detections;
  }

  /** Learns from every anchor, so that nothing is drawn. */
  override loss(
    { images, sizes }: ImageBatch,
    truth: TruthBatch,
    _drawKeys: DrawKeys,
    pass: ForwardPass,
  ): DetectionLosses {
    const levels = this.bboxHead.forward(this.pyramid(images, pass), pass);
    const parts = this.bboxHead.loss(levels, truthOfImages(truth), sizes);
    return { loss: tf.add(parts.boxClass, parts.box), ...parts };
  }

  override predict({ images, sizes }: ImageBatch, scales: tf.Tensor2D, pass: ForwardPass): Detections[] {
    return tf.tidy(() => {
      const levels = this.bboxHead.forward(this.pyramid(images, pass), pass);
      return this.bboxHead.detect(levels, sizes, scales, this.#detections);
    });
  }
}
