/** The smallest detector there is: anchors of one size on P3, classified as they are. The example of docs/add-a-head.md. */
import { z } from '@pyramidal/config';
import { oneHot, takeRows } from '@pyramidal/boxes';
import { joinLevels, mapSize, PyramidAnchors } from '@pyramidal/dense';
import {
  chooseDetections,
  type DetectionLosses,
  type DetectionOptions,
  type Detections,
  Detector,
  type DetectorDefinition,
  type DrawKeys,
  fields,
  type ImageBatch,
  imagesOf,
  toOriginal,
  type TruthBatch,
  truthOfImages,
} from '@pyramidal/detector';
import { Fpn } from '@pyramidal/fpn';
import { focalLoss } from '@pyramidal/losses';
import { matchBoxes, truthRowsOf } from '@pyramidal/matching';
import { type Backbone, Conv2d, type ForwardPass, initializers, LEVELS, type Neck } from '@pyramidal/nn';
import * as tf from '@tensorflow/tfjs-core';

const MATCH = { positiveIou: 0.5, negativeIou: 0.4, lowQuality: { minIou: 0 } };

interface FixedBoxesOptions {
  readonly classes: number;
  /** Side of the anchors over the stride. */
  readonly scale: number;
  readonly detections: DetectionOptions;
}

export class FixedBoxes extends Detector {
  readonly classifier: Conv2d;

  constructor(
    backbone: Backbone,
    neck: Neck,
    private readonly options: FixedBoxesOptions,
  ) {
    super(backbone, neck); // with a third argument, the side of masks, where it learns them
    const biasInit = initializers.constant(-4);
    this.classifier = new Conv2d(neck.channels, options.classes, 3, { init: initializers.normal(0.01), biasInit });
  }

  override loss({ images }: ImageBatch, truth: TruthBatch, _keys: DrawKeys, pass: ForwardPass): DetectionLosses {
    const { classes } = this.options;
    const { logits, anchors } = this.classify(images, pass);
    const rows = imagesOf({ logits });
    const perImage = truthOfImages(truth).map((objects, image) => {
      const { assigned } = matchBoxes(anchors, objects, MATCH);
      const own = takeRows(objects.labels, truthRowsOf(assigned));
      const labels = tf.where(tf.greater(assigned, 0), own, tf.fill(assigned.shape, classes, 'int32'));
      return tf.sum(focalLoss(rows[image]!.logits, oneHot(labels, classes), { alpha: 0.25, gamma: 2 }));
    });
    return { loss: tf.div(tf.addN(perImage), perImage.length) };
  }

  override predict({ images }: ImageBatch, scales: tf.Tensor2D, pass: ForwardPass): Detections[] {
    return tf.tidy(() => {
      const { logits, anchors } = this.classify(images, pass);
      return imagesOf({ logits, scales }).map((own) => {
        const boxes = toOriginal(anchors, own.scales);
        return chooseDetections(boxes, tf.sigmoid(own.logits), this.options.detections);
      });
    });
  }

  /** Logits float32 [N, A, classes] of the anchors, float32 [A, 4]. */
  private classify(images: tf.Tensor4D, pass: ForwardPass): { logits: tf.Tensor3D; anchors: tf.Tensor2D } {
    const maps = this.pyramid(images, pass).slice(0, 1);
    const anchors = new PyramidAnchors({ strides: this.neck.strides, scales: [this.options.scale], ratios: [1] });
    const logits = joinLevels(maps.map((map) => this.classifier.forward(map)), this.options.classes); // prettier-ignore
    return { logits, anchors: anchors.of(maps.map(mapSize)) };
  }
}

const schema = z.strictObject({
  /** Side of the anchors over the stride. */
  scale: fields.count.default(2),
  detections: fields.detections({ scoreThreshold: 0.05, iouThreshold: 0.5, count: 100 }),
});

export const fixedBoxes: DetectorDefinition<typeof schema> = {
  predictsMasks: false,
  schema,
  create(settings, { backbone, neckChannels: channels, classes }) {
    const levels = LEVELS.map((level) => backbone.levels[level]);
    const neck = new Fpn({ levels, channels, outputs: 3, startLevel: 1 });
    return new FixedBoxes(backbone, neck, { ...settings, classes });
  },
};
