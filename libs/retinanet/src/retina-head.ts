/** Head of RetinaNet (Lin et al. 2017, section 4): towers of convolutions on every level of a pyramid. */
import * as tf from '@tensorflow/tfjs-core';
import {
  type AnchorOptions,
  anchorsPerCell,
  bestBoxes,
  chooseDetections,
  type DetectionOptions,
  type Detections,
  encodeDeltas,
  focalLoss,
  type FocalOptions,
  type ImageTruth,
  joinLevels,
  levelAnchors,
  mapSizes,
  matchBoxes,
  type MatchOptions,
  oneHot,
  pyramidAnchors,
  pyramidAnchorsInside,
  smoothL1,
  takeRows,
  toOriginal,
  truthRowsOf,
} from '@pyramidal/boxes';
import { Conv2d, ConvModule, type ForwardPass, initializers, Module } from '@pyramidal/nn';

export interface RetinaHeadOptions {
  readonly classes: number;
  /** Of the pyramid's maps. */
  readonly channels: number;
  readonly anchors: AnchorOptions;
  /** Convolutions of each tower, and their width. */
  readonly convs: number;
  readonly hidden: number;
  /** Anchors that are neither background nor an object do not take part. */
  readonly match: MatchOptions;
  readonly focal: FocalOptions;
  /** Of the smooth L1 loss; 0 is L1. */
  readonly beta: number;
  /** Sides of images are padded to a multiple of these pixels: the backbone's coarsest stride. */
  readonly padding: number;
}

/** What the head predicts on one level, for A anchors a cell. */
export interface RetinaLevel {
  /** Logits, float32 [N, H, W, A classes], anchor by anchor. */
  readonly logits: tf.Tensor4D;
  /** float32 [N, H, W, 4 A]. */
  readonly deltas: tf.Tensor4D;
}

export interface RetinaLosses {
  readonly boxClass: tf.Scalar;
  readonly box: tf.Scalar;
}

export interface RetinaDetectionOptions extends DetectionOptions {
  /** Best anchors of each level that go on. */
  readonly perLevel: number;
}

const SMALL = initializers.normal(0.01);

/** Anchors may leave their image by any number of pixels. */
const ANY = -1;

/** Any class's probability at every anchor before training: objects are rare. */
const PRIOR = 0.01;

export class RetinaHead extends Module {
  readonly clsConvs: ConvModule[];
  readonly regConvs: ConvModule[];
  readonly retinaCls: Conv2d;
  readonly retinaReg: Conv2d;
  private readonly options: RetinaHeadOptions;

  constructor(options: RetinaHeadOptions) {
    super();
    const { classes, channels, anchors, convs, hidden } = options;
    const tower = (): ConvModule[] =>
      Array.from({ length: convs }, (_, i) => new ConvModule(i === 0 ? channels : hidden, hidden, { init: SMALL }));
    const [width, perCell] = [convs === 0 ? channels : hidden, anchorsPerCell(anchors)];
    const biasInit = initializers.constant(-Math.log((1 - PRIOR) / PRIOR));
    this.clsConvs = tower();
    this.regConvs = tower();
    this.retinaCls = new Conv2d(width, perCell * classes, 3, { init: SMALL, biasInit });
    this.retinaReg = new Conv2d(width, perCell * 4, 3, { init: SMALL });
    this.options = options;
  }

  /** @param maps float32 [N, H, W, channels] per level of the anchors. */
  forward(maps: readonly tf.Tensor4D[], pass: ForwardPass): RetinaLevel[] {
    const through = (tower: ConvModule[], map: tf.Tensor4D) => tower.reduce((x, conv) => conv.forward(x, pass), map);
    return maps.map((map) => ({
      logits: this.retinaCls.forward(through(this.clsConvs, map)),
      deltas: this.retinaReg.forward(through(this.regConvs, map)),
    }));
  }

  /**
   * Focal loss over the anchors that take part and smooth L1 over the positives, both divided by the number of positives
   * in the batch, of which every image counts for one at least.
   * @param truth of every image.
   * @param sizes float32 [N, 2], (height, width).
   */
  loss(levels: readonly RetinaLevel[], truth: readonly ImageTruth[], sizes: tf.Tensor2D): RetinaLosses {
    const { anchors: options, match, classes, focal, beta, padding } = this.options;
    const logits = joinLevels(levels.map((level) => level.logits), classes); // prettier-ignore
    const deltas = joinLevels(levels.map((level) => level.deltas), 4); // prettier-ignore
    const cells = mapSizes(levels.map((level) => level.logits));
    const anchors = pyramidAnchors(options, cells);
    const inside = pyramidAnchorsInside(options, cells, sizes, { allowedBorder: ANY, padding });
    const parts = truth.map((objects, image) => {
      const { labels, targets, positive, valid } = anchorTargets(anchors, objects, match, classes, inside[image]!);
      const perAnchor = tf.sum(focalLoss(ofImage(logits, image), oneHot(labels, classes), focal), 1);
      const distance = tf.sum(smoothL1(ofImage(deltas, image), targets, beta), 1);
      const isObject = tf.cast(positive, 'float32');
      return {
        boxClass: tf.sum(tf.mul(perAnchor, tf.cast(valid, 'float32'))),
        box: tf.sum(tf.mul(distance, isObject)),
        positives: tf.maximum(tf.sum(isObject), 1),
      };
    });
    const total = tf.addN(parts.map(({ positives }) => positives));
    const share = (sums: tf.Tensor[]): tf.Scalar => tf.div(tf.addN(sums), total);
    return { boxClass: share(parts.map(({ boxClass }) => boxClass)), box: share(parts.map(({ box }) => box)) };
  }

  /**
   * Detections of every image, their boxes in pixels of the original images.
   * @param sizes float32 [N, 2], (height, width). @param scales float32 [N, 2], (y, x).
   */
  detect(
    levels: readonly RetinaLevel[],
    sizes: tf.Tensor2D,
    scales: tf.Tensor2D,
    options: RetinaDetectionOptions,
  ): Detections[] {
    return tf.tidy(() => {
      const factors = tf.unstack(scales) as tf.Tensor1D[];
      return tf.unstack(sizes).map((size, image) => {
        const best = levels.map((_, level) => this.bestOf(levels, level, image, size as tf.Tensor1D, options.perLevel));
        const boxes = toOriginal(tf.concat(best.map((own) => own.boxes)), factors[image]!);
        return chooseDetections(boxes, tf.concat(best.map((own) => own.scores)), options);
      });
    });
  }

  /** The anchors of a level whose best class scores highest: B boxes, and their scores [B, classes]. */
  private bestOf(levels: readonly RetinaLevel[], level: number, image: number, size: tf.Tensor1D, count: number) {
    const { anchors: options, classes } = this.options;
    const { logits, deltas } = levels[level]!;
    const scores: tf.Tensor2D = tf.sigmoid(tf.reshape(tf.slice(logits, image, 1), [-1, classes]));
    const ranked = {
      anchors: levelAnchors(options, level, mapSizes([logits])[0]!),
      deltas: tf.reshape(tf.slice(deltas, image, 1), [-1, 4]) as tf.Tensor2D,
      scores: tf.max(scores, 1) as tf.Tensor1D,
    };
    const { boxes, indices } = bestBoxes(ranked, count, size);
    return { boxes, scores: takeRows(scores, indices) };
  }
}

function ofImage(rows: tf.Tensor3D, image: number): tf.Tensor2D {
  return tf.squeeze(tf.slice(rows, image, 1), [0]);
}

/** What every anchor should be predicted as; the label is the number of classes for background. */
function anchorTargets(
  anchors: tf.Tensor2D,
  truth: ImageTruth,
  match: MatchOptions,
  classes: number,
  inside: tf.Tensor1D,
) {
  return tf.tidy(() => {
    const { assigned } = matchBoxes(anchors, truth, match, inside);
    const positive: tf.Tensor1D = tf.greater(assigned, 0);
    const rows = truthRowsOf(assigned);
    const deltas = encodeDeltas(anchors, takeRows(truth.boxes, rows));
    return {
      labels: tf.where(positive, takeRows(truth.labels, rows), tf.fill(assigned.shape, classes, 'int32')),
      targets: tf.where(tf.expandDims(positive, 1), deltas, tf.zerosLike(deltas)),
      positive,
      valid: tf.greaterEqual(assigned, 0) as tf.Tensor1D,
    };
  });
}
