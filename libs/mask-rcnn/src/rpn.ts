/** Region proposal network (Faster R-CNN, section 3.1) on a pyramid (FPN, section 4.1). */
import * as tf from '@tensorflow/tfjs-core';
import { Conv2d, initializers, Module } from '@pyramidal/nn';
import { anchorsInside, anchorsPerCell, levelAnchors, type AnchorOptions } from './anchors';
import { clipBoxes, coordinates } from './boxes';
import { decodeDeltas, encodeDeltas } from './box-deltas';
import { detached } from './detached';
import { binaryCrossEntropy, smoothL1 } from './losses';
import { matchBoxes, type MatchOptions, type Truth } from './matcher';
import { nms } from './nms';
import { sampleBoxes, type DrawKeys, type SampleOptions } from './sampler';
import { takeRows } from './take-rows';

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

/** What the head says of one level. */
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

/** Sizes of the images within a batch, float32 [N, 2], (height, width) in pixels. */
export interface ImageSizes {
  readonly image: tf.Tensor2D;
  /** With the padding that counts as part of the image: each side rounded up to the coarsest backbone stride. */
  readonly padded: tf.Tensor2D;
}

/** Scores below any probability: rows that are no boxes. */
const NO_BOX = -1;
const ABOVE_NO_BOX = -0.5;

const SMALL = initializers.normal(0.01);

export class RpnHead extends Module {
  readonly rpnConv: Conv2d;
  readonly rpnCls: Conv2d;
  readonly rpnReg: Conv2d;
  readonly #options: RpnOptions;

  constructor(options: RpnOptions) {
    super();
    const { channels, anchors } = options;
    const perCell = anchorsPerCell(anchors);
    this.rpnConv = new Conv2d(channels, channels, 3, { init: SMALL });
    this.rpnCls = new Conv2d(channels, perCell, 1, { init: SMALL });
    this.rpnReg = new Conv2d(channels, 4 * perCell, 1, { init: SMALL });
    this.#options = options;
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
    return tf.unstack(sizes).map((size, image) => {
      const rows = detached(() => this.#proposeFor(levels, image, size as tf.Tensor1D, options));
      const [boxes, scores] = tf.split(rows, [4, 1], 1) as [tf.Tensor2D, tf.Tensor2D];
      const flat: tf.Tensor1D = tf.reshape(scores, [-1]);
      return { boxes, scores: flat, valid: tf.greater(flat, ABOVE_NO_BOX) };
    });
  }

  /** float32 [P, 5], boxes and scores. */
  #proposeFor(levels: readonly RpnLevel[], image: number, size: tf.Tensor1D, options: ProposalOptions): tf.Tensor2D {
    const kept = levels.map((level, index) => {
      const anchors = levelAnchors(this.#options.anchors, index, mapSize(level));
      const logits = tf.reshape(tf.slice(level.objectness, image, 1), [-1]) as tf.Tensor1D;
      const deltas = tf.reshape(tf.slice(level.deltas, image, 1), [-1, 4]) as tf.Tensor2D;
      const best = tf.topk(tf.sigmoid(logits), Math.min(options.perLevel, logits.size));
      const decoded = decodeDeltas(takeRows(anchors, best.indices), takeRows(deltas, best.indices));
      const boxes = clipBoxes(decoded, size);
      const scores = dropSmall(boxes, best.values, options.minSize ?? 0);
      return suppress(boxes, scores, options);
    });
    const scores = tf.concat(kept.map((level) => level.scores));
    const best = tf.topk(scores, Math.min(options.count, scores.size));
    const boxes = takeRows(tf.concat(kept.map((level) => level.boxes)), best.indices);
    return tf.concat([boxes, tf.expandDims(best.values, 1) as tf.Tensor2D], 1);
  }

  /**
   * Binary cross entropy and smooth L1 over sampled anchors, both divided by the number of samples in the batch.
   * @param truth of every image.
   */
  loss(levels: readonly RpnLevel[], truth: readonly Truth[], sizes: ImageSizes, drawKeys: DrawKeys): RpnLosses {
    const { anchors: options, match, sample, allowedBorder, beta } = this.#options;
    const anchors = tf.concat(levels.map((level, index) => levelAnchors(options, index, mapSize(level))));
    const logits = joinLevels(levels.map(({ objectness }) => objectness), 1); // prettier-ignore
    const deltas = joinLevels(levels.map((level) => level.deltas), 4); // prettier-ignore
    const parts = truth.map((objects, image) => {
      const [padded, own] = [sizes.padded, sizes.image].map((size) => tf.reshape(tf.slice(size, image, 1), [2]));
      const border = { padded: padded as tf.Tensor1D, image: own as tf.Tensor1D, allowedBorder };
      const inside = tf.concat(levels.map((level, index) => anchorsInside(options, index, mapSize(level), border)));
      const matches = matchBoxes(anchors, objects, match, inside);
      const { indices, positive, valid } = sampleBoxes(matches, sample, drawKeys);
      const rows: tf.Tensor1D = tf.add(indices, tf.scalar(image * anchors.shape[0], 'int32'));
      const truthRows: tf.Tensor1D = tf.relu(
        tf.sub<tf.Tensor1D>(takeRows(matches.assigned, indices), tf.scalar(1, 'int32')),
      );
      const targets = encodeDeltas(takeRows(anchors, indices), takeRows(objects.boxes, truthRows));
      const [isObject, isSample] = [tf.cast(positive, 'float32'), tf.cast(valid, 'float32')];
      const known = tf.where(tf.expandDims(positive, 1), targets, tf.zerosLike(targets));
      const cross = binaryCrossEntropy(tf.reshape(takeRows(logits, rows), [-1]), isObject);
      const distance = tf.sum(smoothL1(takeRows(deltas, rows), known, beta), 1);
      const positives = tf.sum(isObject);
      return {
        objectness: tf.sum(tf.mul(cross, isSample)),
        box: tf.sum(tf.mul(distance, isObject)),
        // An image counts as one sample of each kind at least.
        samples: tf.add(tf.maximum(positives, 1), tf.maximum(tf.sub(tf.sum(isSample), positives), 1)),
      };
    });
    const total = tf.addN(parts.map(({ samples }) => samples));
    const share = (sums: tf.Tensor[]): tf.Scalar => tf.div(tf.addN(sums), total);
    return { objectness: share(parts.map(({ objectness }) => objectness)), box: share(parts.map(({ box }) => box)) };
  }
}

function mapSize({ objectness }: RpnLevel): [number, number] {
  return [objectness.shape[1], objectness.shape[2]];
}

/** Maps of all levels as rows of `width`, image by image, level by level. */
function joinLevels(maps: readonly tf.Tensor4D[], width: number): tf.Tensor2D {
  const perImage = maps.map((map) => tf.reshape(map, [map.shape[0], -1, width]) as tf.Tensor3D);
  return tf.reshape(tf.concat(perImage, 1), [-1, width]);
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
