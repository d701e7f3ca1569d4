/** Region proposal network (Faster R-CNN, section 3.1) on a pyramid (FPN, section 4.1). */
import * as tf from '@tensorflow/tfjs-core';
import { coordinates, detached, encodeDeltas, nms, takeRows } from '@pyramidal/boxes';
import { type AnchorOptions, bestBoxes, joinLevels, mapSize, PyramidAnchors } from '@pyramidal/dense';
import { type DrawKeys, imagesOf, type Truth } from '@pyramidal/detector';
import { overWorkers } from '@pyramidal/kernels';
import { binaryCrossEntropy, smoothL1 } from '@pyramidal/losses';
import { matchBoxes, type MatchOptions, sampleBoxes, type SampleOptions, truthRowsOf } from '@pyramidal/matching';
import { Conv2d, initializers, Module } from '@pyramidal/nn';

export interface RpnOptions {
  /** Of the pyramid's maps. */
  readonly channels: number;
  readonly anchors: AnchorOptions;
  readonly match: MatchOptions;
  readonly sample: SampleOptions;
  /** Pixels that training anchors may reach beyond their image; negative allows any. */
  readonly allowedBorder: number;
  /** Of the smooth L1 loss; 0 is L1. */
  readonly beta: number;
  /** Sides of images are padded to a multiple of these pixels: the backbone's coarsest stride. */
  readonly padding: number;
}

export interface ProposalOptions {
  /** Best anchors of each level that go on. */
  readonly perLevel: number;
  /** P, proposals per image. */
  readonly count: number;
  readonly iouThreshold: number;
  /** Proposals with a shorter side, in pixels, are left out; 0 keeps all, even empty ones. */
  readonly minSize?: number;
}

/** What the head predicts on one level. */
export interface RpnLevel {
  /** Logits, float32 [N, H, W, A]. */
  readonly objectness: tf.Tensor4D;
  /** float32 [N, H, W, 4 A]. */
  readonly deltas: tf.Tensor4D;
}

/** P proposals of one image, best first. */
export interface Proposals {
  /** float32 [P, 4], xyxy, within the image. */
  readonly boxes: tf.Tensor2D;
  /** float32 [P] in [0, 1], or -1 where a row is no proposal. */
  readonly scores: tf.Tensor1D;
  /** bool [P]. */
  readonly valid: tf.Tensor1D;
}

export interface RpnLosses {
  readonly objectness: tf.Scalar;
  readonly box: tf.Scalar;
}

/** Scores below any probability: rows that are no boxes. */
const NO_BOX = -1;
const ABOVE_NO_BOX = -0.5;

const SMALL = initializers.normal(0.01);

export class RpnHead extends Module {
  readonly rpnConv: Conv2d;
  readonly rpnCls: Conv2d;
  readonly rpnReg: Conv2d;
  private readonly anchors: PyramidAnchors;

  constructor(private readonly options: RpnOptions) {
    super();
    const { channels } = options;
    this.anchors = new PyramidAnchors(options.anchors);
    const { perCell } = this.anchors;
    this.rpnConv = new Conv2d(channels, channels, 3, { init: SMALL });
    this.rpnCls = new Conv2d(channels, perCell, 1, { init: SMALL });
    this.rpnReg = new Conv2d(channels, 4 * perCell, 1, { init: SMALL });
  }

  /** @param maps float32 [N, H, W, channels] per level of the anchors. */
  forward(maps: readonly tf.Tensor4D[]): RpnLevel[] {
    return maps.map((map) => {
      const hidden = tf.relu(this.rpnConv.forward(map));
      return { objectness: this.rpnCls.forward(hidden), deltas: this.rpnReg.forward(hidden) };
    });
  }

  /** The best boxes of every image; they carry no gradient. @param sizes float32 [N, 2], (height, width). */
  propose(levels: readonly RpnLevel[], sizes: tf.Tensor2D, options: ProposalOptions): Proposals[] {
    return imagesOf({ sizes }).map(({ sizes: size }, image) => {
      const rows = detached(() => this.proposeFor(levels, image, size, options));
      const [boxes, scores] = tf.split(rows, [4, 1], 1) as [tf.Tensor2D, tf.Tensor2D];
      const flat: tf.Tensor1D = tf.reshape(scores, [-1]);
      return { boxes, scores: flat, valid: tf.greater(flat, ABOVE_NO_BOX) };
    });
  }

  /** float32 [P, 5], boxes and scores. */
  private proposeFor(
    levels: readonly RpnLevel[],
    image: number,
    size: tf.Tensor1D,
    options: ProposalOptions,
  ): tf.Tensor2D {
    const kept = levels.map(({ objectness, deltas }, level) => {
      const scores: tf.Tensor1D = tf.sigmoid(tf.reshape(tf.slice(objectness, image, 1), [-1]));
      const ranked = {
        anchors: this.anchors.ofLevel(level, mapSize(objectness)),
        deltas: tf.reshape(tf.slice(deltas, image, 1), [-1, 4]) as tf.Tensor2D,
        scores,
      };
      const best = bestBoxes(ranked, options.perLevel, size);
      return suppress(best.boxes, dropSmall(best.boxes, best.scores, options.minSize ?? 0), options);
    });
    const scores = tf.concat(kept.map((level) => level.scores));
    const best = tf.topk(scores, Math.min(options.count, scores.size));
    const boxes = takeRows(tf.concat(kept.map((level) => level.boxes)), best.indices);
    return tf.concat([boxes, tf.expandDims(best.values, 1) as tf.Tensor2D], 1);
  }

  /**
   * Binary cross entropy and smooth L1 over sampled anchors, both divided by the number of samples in the batch.
   * @param truth of every image.
   * @param sizes float32 [N, 2], (height, width).
   */
  loss(levels: readonly RpnLevel[], truth: readonly Truth[], sizes: tf.Tensor2D, drawKeys: DrawKeys): RpnLosses {
    const { match, sample, allowedBorder, padding, beta } = this.options;
    const objectness = levels.map((level) => level.objectness);
    const cells = objectness.map(mapSize);
    const anchors = this.anchors.of(cells);
    const inside = this.anchors.inside(cells, sizes, { allowedBorder, padding });
    const logits = tf.reshape(joinLevels(objectness, 1), [-1]) as tf.Tensor1D;
    const deltas = tf.reshape(joinLevels(levels.map((level) => level.deltas), 4), [-1, 4]) as tf.Tensor2D; // prettier-ignore
    const parts = truth.map((objects, image) => {
      const matches = matchBoxes(anchors, objects, match, inside[image]);
      const { indices, positive, valid } = sampleBoxes(matches, sample, drawKeys);
      const rows: tf.Tensor1D = tf.add(indices, tf.scalar(image * anchors.shape[0], 'int32'));
      const truthRows = truthRowsOf(takeRows(matches.assigned, indices));
      const targets = encodeDeltas(takeRows(anchors, indices), takeRows(objects.boxes, truthRows));
      const [isObject, isSample] = [tf.cast(positive, 'float32'), tf.cast(valid, 'float32')];
      const known = tf.where(tf.expandDims(positive, 1), targets, tf.zerosLike(targets));
      const cross = binaryCrossEntropy(takeRows(logits, rows), isObject);
      const distance = tf.sum(smoothL1(takeRows(deltas, rows), known, beta), 1);
      const positives = tf.sum(isObject);
      return {
        objectness: tf.sum(tf.mul(cross, isSample)),
        box: tf.sum(tf.mul(distance, isObject)),
        // An image counts as one sample of each kind at least.
        samples: tf.add(tf.maximum(positives, 1), tf.maximum(tf.sub(tf.sum(isSample), positives), 1)),
      };
    });
    const total = overWorkers.count(tf.addN(parts.map(({ samples }) => samples)) as tf.Scalar);
    const share = (sums: tf.Tensor[]): tf.Scalar => tf.div(tf.addN(sums), total);
    return { objectness: share(parts.map(({ objectness }) => objectness)), box: share(parts.map(({ box }) => box)) };
  }
}

function dropSmall(boxes: tf.Tensor2D, scores: tf.Tensor1D, minSize: number): tf.Tensor1D {
  if (minSize === 0) return scores;
  const [x1, y1, x2, y2] = coordinates(boxes);
  const side = tf.minimum(tf.sub(x2, x1), tf.sub(y2, y1));
  return tf.where(tf.greaterEqual(side, minSize), scores, tf.fill(scores.shape, NO_BOX));
}

function suppress(boxes: tf.Tensor2D, scores: tf.Tensor1D, { iouThreshold, count }: ProposalOptions) {
  const kept = nms(boxes, scores, { iouThreshold, scoreThreshold: ABOVE_NO_BOX, maxOutputs: count });
  const keptScores = takeRows(scores, kept.indices);
  return {
    boxes: takeRows(boxes, kept.indices),
    scores: tf.where(kept.valid, keptScores, tf.fill(keptScores.shape, NO_BOX)) as tf.Tensor1D,
  };
}
