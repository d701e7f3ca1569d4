/** Head of ATSS (Zhang et al. 2020): towers of convolutions on every level of a pyramid, one anchor at every cell. */
import * as tf from '@tensorflow/tfjs-core';
import {
  type AnchorOptions,
  bestBoxes,
  binaryCrossEntropy,
  chooseDetections,
  decodeDeltas,
  type DeltaOptions,
  type DetectionOptions,
  type Detections,
  focalLoss,
  type FocalOptions,
  giouLoss,
  type ImageTruth,
  joinLevels,
  levelAnchors,
  mapSizes,
  oneHot,
  pyramidAnchors,
  pyramidAnchorsInside,
  takeRows,
  toOriginal,
  truthRowsOf,
} from '@pyramidal/boxes';
import { Conv2d, ConvModule, type ForwardPass, initializers, Module } from '@pyramidal/nn';
import { assignAdaptively, type AtssOptions } from './atss-assigner';
import { centerness } from './centerness';
import { Scale } from './scale';

export interface AtssHeadOptions {
  readonly classes: number;
  /** Of the pyramid's maps. */
  readonly channels: number;
  /** One at every cell. */
  readonly anchors: AnchorOptions;
  /** Convolutions of each tower, and their width, in 32 groups. */
  readonly convs: number;
  readonly hidden: number;
  readonly assign: AtssOptions;
  readonly deltas: DeltaOptions;
  readonly focal: FocalOptions;
  /** Of the box loss. */
  readonly boxWeight: number;
  /** Sides of images are padded to a multiple of these pixels: the backbone's coarsest stride. */
  readonly padding: number;
}

/** What the head predicts on one level. */
export interface AtssLevel {
  /** Logits, float32 [N, H, W, classes]. */
  readonly logits: tf.Tensor4D;
  /** float32 [N, H, W, 4]. */
  readonly deltas: tf.Tensor4D;
  /** Logits, float32 [N, H, W, 1]. */
  readonly centerness: tf.Tensor4D;
}

export interface AtssLosses {
  readonly boxClass: tf.Scalar;
  readonly box: tf.Scalar;
  readonly centerness: tf.Scalar;
}

export interface AtssDetectionOptions extends DetectionOptions {
  /** Best anchors of each level that go on. */
  readonly perLevel: number;
}

const SMALL = initializers.normal(0.01);

/** Anchors may leave their image by any number of pixels. */
const ANY = -1;

/** Any class's probability at every anchor before training: objects are rare. */
const PRIOR = 0.01;

/** Sums of centerness targets below this divide nothing. */
const MIN_CENTERNESS = 1e-12;

export class AtssHead extends Module {
  readonly clsConvs: ConvModule[];
  readonly regConvs: ConvModule[];
  readonly atssCls: Conv2d;
  readonly atssReg: Conv2d;
  readonly atssCenterness: Conv2d;
  readonly scales: Scale[];
  private readonly options: AtssHeadOptions;

  constructor(options: AtssHeadOptions) {
    super();
    const { classes, channels, anchors, convs, hidden } = options;
    const tower = (): ConvModule[] =>
      Array.from({ length: convs }, (_, i) => {
        return new ConvModule(i === 0 ? channels : hidden, hidden, { init: SMALL, norm: 'group' });
      });
    const width = convs === 0 ? channels : hidden;
    const biasInit = initializers.constant(-Math.log((1 - PRIOR) / PRIOR));
    this.clsConvs = tower();
    this.regConvs = tower();
    this.atssCls = new Conv2d(width, classes, 3, { init: SMALL, biasInit });
    this.atssReg = new Conv2d(width, 4, 3, { init: SMALL });
    this.atssCenterness = new Conv2d(width, 1, 3, { init: SMALL });
    this.scales = anchors.strides.map(() => new Scale());
    this.options = options;
  }

  /** @param maps float32 [N, H, W, channels] per level of the anchors. */
  forward(maps: readonly tf.Tensor4D[], pass: ForwardPass): AtssLevel[] {
    const through = (tower: ConvModule[], map: tf.Tensor4D) => tower.reduce((x, conv) => conv.forward(x, pass), map);
    return maps.map((map, level) => {
      const boxes = through(this.regConvs, map);
      return {
        logits: this.atssCls.forward(through(this.clsConvs, map)),
        deltas: this.scales[level]!.forward(this.atssReg.forward(boxes)),
        centerness: this.atssCenterness.forward(boxes),
      };
    });
  }

  /**
   * Focal loss over the anchors that take part, and over the positives the GIoU loss of their boxes by centerness and the
   * cross entropy of centerness. The first and the last are divided by the number of positives in the batch, of which every
   * image counts for one at least; the second by the sum of the centerness to be predicted.
   * @param truth of every image.
   * @param sizes float32 [N, 2], (height, width).
   */
  loss(levels: readonly AtssLevel[], truth: readonly ImageTruth[], sizes: tf.Tensor2D): AtssLosses {
    const { anchors: options, classes, deltas: coder, focal, boxWeight, padding } = this.options;
    const logits = joinLevels(levels.map((level) => level.logits), classes); // prettier-ignore
    const deltas = joinLevels(levels.map((level) => level.deltas), 4); // prettier-ignore
    const centers = joinLevels(levels.map((level) => level.centerness), 1); // prettier-ignore
    const cells = mapSizes(levels.map((level) => level.logits));
    const anchors = pyramidAnchors(options, cells);
    const inside = pyramidAnchorsInside(options, cells, sizes, { allowedBorder: ANY, padding });
    const parts = truth.map((objects, image) => {
      const targets = this.targets(
        { anchors, counts: cells.map(([h, w]) => h * w), included: inside[image]! },
        objects,
      );
      const [isValid, isObject] = [tf.cast(targets.valid, 'float32'), tf.cast(targets.positive, 'float32')];
      const perAnchor = tf.sum(focalLoss(ofImage(logits, image), oneHot(targets.labels, classes), focal), 1);
      const distance = giouLoss(decodeDeltas(anchors, ofImage(deltas, image), coder), targets.boxes);
      const middle = tf.reshape<tf.Rank.R1>(ofImage(centers, image), [-1]);
      return {
        boxClass: tf.sum(tf.mul(perAnchor, isValid)),
        box: tf.sum(tf.mul(distance, targets.centerness)),
        centerness: tf.sum(tf.mul(binaryCrossEntropy(middle, targets.centerness), isObject)),
        positives: tf.maximum(tf.sum(isObject), 1),
        weight: tf.sum(targets.centerness),
      };
    });
    const total = (name: keyof (typeof parts)[number]): tf.Scalar =>
      tf.addN(parts.map((part) => part[name] as tf.Scalar));
    const [positives, weight] = [total('positives'), total('weight')];
    const divisor = tf.where(tf.less(weight, MIN_CENTERNESS), tf.onesLike(weight), weight);
    return {
      boxClass: tf.div(total('boxClass'), positives),
      box: tf.mul(tf.div(total('box'), divisor), boxWeight),
      centerness: tf.div(total('centerness'), positives),
    };
  }

  /**
   * Detections of every image, their boxes in pixels of the original images; scores are those of classes by centerness.
   * @param sizes float32 [N, 2], (height, width). @param scales float32 [N, 2], (y, x).
   */
  detect(
    levels: readonly AtssLevel[],
    sizes: tf.Tensor2D,
    scales: tf.Tensor2D,
    options: AtssDetectionOptions,
  ): Detections[] {
    return tf.tidy(() => {
      const factors = tf.unstack(scales) as tf.Tensor1D[];
      return tf.unstack(sizes).map((size, image) => {
        const best = levels.map((_, level) => this.bestOf(levels, level, image, size as tf.Tensor1D, options));
        const boxes = toOriginal(tf.concat(best.map((own) => own.boxes)), factors[image]!);
        // The threshold is for the scores of classes alone, which `bestOf` has compared with it.
        return chooseDetections(boxes, tf.concat(best.map((own) => own.scores)), { ...options, scoreThreshold: 0 });
      });
    });
  }

  /** What every anchor of an image should be predicted as; the label is the number of classes for background. */
  private targets(all: Parameters<typeof assignAdaptively>[0], truth: ImageTruth) {
    const { assign, classes } = this.options;
    return tf.tidy(() => {
      const { assigned } = assignAdaptively(all, truth, assign);
      const positive: tf.Tensor1D = tf.greater(assigned, 0);
      const rows = truthRowsOf(assigned);
      const boxes = takeRows(truth.boxes, rows);
      const middle = centerness(all.anchors, boxes);
      return {
        labels: tf.where(positive, takeRows(truth.labels, rows), tf.fill(assigned.shape, classes, 'int32')),
        boxes,
        centerness: tf.where(positive, middle, tf.zerosLike(middle)),
        positive,
        valid: tf.greaterEqual(assigned, 0) as tf.Tensor1D,
      };
    });
  }

  /**
   * The anchors of a level whose best class scores highest by centerness: B boxes, and their scores by centerness
   * [B, classes], 0 where a class alone scores too little.
   */
  private bestOf(
    levels: readonly AtssLevel[],
    level: number,
    image: number,
    size: tf.Tensor1D,
    { perLevel, scoreThreshold }: AtssDetectionOptions,
  ) {
    const { anchors: options, classes, deltas: coder } = this.options;
    const { logits, deltas, centerness: centers } = levels[level]!;
    const rowsOf = (map: tf.Tensor4D, width: number): tf.Tensor2D => tf.reshape(tf.slice(map, image, 1), [-1, width]);
    const scores = tf.sigmoid(rowsOf(logits, classes));
    const byCenterness = tf.mul<tf.Tensor2D>(scores, tf.sigmoid(rowsOf(centers, 1)));
    const ranked = {
      anchors: levelAnchors(options, level, mapSizes([logits])[0]!),
      deltas: rowsOf(deltas, 4),
      scores: tf.max(byCenterness, 1) as tf.Tensor1D,
    };
    const { boxes, indices } = bestBoxes(ranked, perLevel, size, coder);
    const counted = tf.where(tf.greater(scores, scoreThreshold), byCenterness, tf.zerosLike(scores));
    return { boxes, scores: takeRows(counted, indices) };
  }
}

function ofImage(rows: tf.Tensor3D, image: number): tf.Tensor2D {
  return tf.squeeze(tf.slice(rows, image, 1), [0]);
}
