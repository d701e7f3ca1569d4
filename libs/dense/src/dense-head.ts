/**
 * The head of a one-stage detector (Lin et al. 2017, RetinaNet, section 4): a tower of convolutions for classes and one
 * for boxes, which all levels of a pyramid share, then what a detector predicts at every anchor and learns from it.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type DeltaOptions, oneHot, takeRows } from '@pyramidal/boxes';
import {
  chooseDetections,
  type DetectionOptions,
  type Detections,
  imagesOf,
  type ImageTruth,
  toOriginal,
} from '@pyramidal/detector';
import { overWorkers } from '@pyramidal/kernels';
import { focalLoss, type FocalOptions } from '@pyramidal/losses';
import { BACKGROUND, truthRowsOf } from '@pyramidal/matching';
import { Conv2d, ConvModule, type ForwardPass, initializers, Module } from '@pyramidal/nn';
import type { AnchorOptions } from './anchors';
import { bestBoxes, joinLevels, mapSize } from './level-rows';
import { PyramidAnchors } from './pyramid-anchors';

/** The settings that the heads of one-stage detectors share. */
export interface DenseHeadOptions {
  readonly classes: number;
  /** Of the pyramid's maps. */
  readonly channels: number;
  readonly anchors: AnchorOptions;
  /** Convolutions of each tower, and their width. */
  readonly convs: number;
  readonly hidden: number;
  /** How the deltas of boxes are normalised. */
  readonly deltas?: DeltaOptions;
  readonly focal: FocalOptions;
  /** Sides of images are padded to a multiple of these pixels: the backbone's coarsest stride. */
  readonly padding: number;
}

/** Which anchors become detections. */
export interface DenseDetectionOptions extends DetectionOptions {
  /** Best anchors of each level that go on. */
  readonly perLevel: number;
}

type Names<More extends string> = More | 'logits' | 'deltas';

/**
 * What a head predicts on one level for A anchors a cell, anchor by anchor: `logits` float32 [N, H, W, A classes], `deltas`
 * float32 [N, H, W, 4 A], and more by name.
 */
export type DenseMaps<More extends string = never> = Readonly<Record<Names<More>, tf.Tensor4D>>;

/** The same in rows, one per anchor: `logits` float32 [A, classes], `deltas` float32 [A, 4]. */
export type DenseRows<More extends string = never> = Readonly<Record<Names<More>, tf.Tensor2D>>;

/** The anchors of an image. */
export interface ImageAnchors {
  /** float32 [A, 4], xyxy, level by level. */
  readonly anchors: tf.Tensor2D;
  /** How many each level has. */
  readonly counts: readonly number[];
  /** bool [A]: those that take part. */
  readonly included: tf.Tensor1D;
}

/** What every anchor of an image is to predict. */
export type DenseTargets = {
  /** float32 [A, 4], xyxy: the object of each anchor; any for background. */
  readonly boxes: tf.Tensor2D;
  /** int32 [A], the number of classes for background. */
  readonly labels: tf.Tensor1D;
  /** bool [A]: anchors that learn an object. */
  readonly positive: tf.Tensor1D;
  /** bool [A]: anchors that learn at all. */
  readonly valid: tf.Tensor1D;
};

/** What boxes learn from in one image. */
export interface DenseImage<More extends string = never> {
  readonly rows: DenseRows<More>;
  /** float32 [A, 4], xyxy. */
  readonly anchors: tf.Tensor2D;
  readonly targets: DenseTargets;
}

const SMALL = initializers.normal(0.01);

/** Anchors may leave their image by any number of pixels. */
const ANY = -1;

/** @typeParam More what is predicted besides logits and deltas. @typeParam Losses names of the losses of boxes. */
export abstract class DenseHead<More extends string = never, Losses extends string = string> extends Module {
  readonly clsConvs: ConvModule[];
  readonly regConvs: ConvModule[];
  protected readonly anchors: PyramidAnchors;
  private readonly shared: DenseHeadOptions;

  /** @param norm of the towers' convolutions; none by default. */
  constructor(options: DenseHeadOptions, norm?: 'group') {
    super();
    const { channels, convs, hidden } = options;
    const tower = (): ConvModule[] =>
      Array.from({ length: convs }, (_, i) => {
        return new ConvModule(i === 0 ? channels : hidden, hidden, { init: SMALL, ...(norm && { norm }) });
      });
    this.clsConvs = tower();
    this.regConvs = tower();
    this.anchors = new PyramidAnchors(options.anchors);
    this.shared = options;
  }

  /** The last convolution of a tower, with `width` outputs for each anchor of a cell. */
  protected lastConv(width: number, biasInit?: initializers.Initializer): Conv2d {
    const { channels, convs, hidden } = this.shared;
    const inputs = convs === 0 ? channels : hidden;
    return new Conv2d(inputs, this.anchors.perCell * width, 3, { init: SMALL, ...(biasInit && { biasInit }) });
  }

  /** The last convolution of the tower for classes. */
  protected classConv(): Conv2d {
    return this.lastConv(this.shared.classes, initializers.rareClass);
  }

  /** What is predicted on a level from the towers' maps, float32 [N, H, W, hidden]. */
  protected abstract predictLevel(forClasses: tf.Tensor4D, forBoxes: tf.Tensor4D, level: number): DenseMaps<More>;

  /** Which object each anchor learns. @returns int32 [A], `UNMATCHED`, `BACKGROUND`, or k for ground truth k - 1. */
  protected abstract assign(anchors: ImageAnchors, truth: ImageTruth): tf.Tensor1D;

  /** @param positives anchors of the batch that learn an object, one an image at least. */
  protected abstract boxLosses(
    images: readonly DenseImage<More>[],
    positives: tf.Scalar,
  ): Readonly<Record<Losses, tf.Scalar>>;

  /** The score of each class at each anchor, float32 [A, classes]. */
  protected scoresOf({ logits }: DenseRows<More>): tf.Tensor2D {
    return tf.sigmoid(logits);
  }

  /** @param maps float32 [N, H, W, channels] per level of the anchors. */
  forward(maps: readonly tf.Tensor4D[], pass: ForwardPass): DenseMaps<More>[] {
    const through = (tower: ConvModule[], map: tf.Tensor4D) => tower.reduce((x, conv) => conv.forward(x, pass), map);
    return maps.map((map, level) => this.predictLevel(through(this.clsConvs, map), through(this.regConvs, map), level));
  }

  /**
   * The focal loss of classes over the anchors that take part, divided by the number of positives in the batch, of which every
   * image counts for one at least; and the losses of boxes.
   * @param truth of every image.
   * @param sizes float32 [N, 2], (height, width).
   */
  loss(
    levels: readonly DenseMaps<More>[],
    truth: readonly ImageTruth[],
    sizes: tf.Tensor2D,
  ): Readonly<Record<Losses | 'boxClass', tf.Scalar>> {
    const images = this.learningOf(levels, truth, sizes);
    const own = sumOver(images, ({ targets }) => tf.maximum(tf.sum(tf.cast(targets.positive, 'float32')), 1));
    const positives = overWorkers.count(own);
    const classes = sumOver(images, ({ rows, targets }) => this.classSum(rows, targets));
    return { boxClass: tf.div<tf.Scalar>(classes, positives), ...this.boxLosses(images, positives) };
  }

  /**
   * Detections of every image, their boxes in pixels of the original images.
   * @param sizes float32 [N, 2], (height, width). @param scales float32 [N, 2], (y, x).
   */
  detect(
    levels: readonly DenseMaps<More>[],
    sizes: tf.Tensor2D,
    scales: tf.Tensor2D,
    options: DenseDetectionOptions,
  ): Detections[] {
    return tf.tidy(() =>
      imagesOf({ sizes, scales }).map(({ sizes: size, scales: scale }, image) => {
        const best = levels.map((maps, level) => this.bestOf(maps, level, image, size, options));
        const boxes = toOriginal(tf.concat(best.map((own) => own.boxes)), scale);
        // The threshold is for the probabilities of classes, which `bestOf` has compared with it.
        return chooseDetections(boxes, tf.concat(best.map((own) => own.scores)), { ...options, scoreThreshold: 0 });
      }),
    );
  }

  private learningOf(
    levels: readonly DenseMaps<More>[],
    truth: readonly ImageTruth[],
    sizes: tf.Tensor2D,
  ): DenseImage<More>[] {
    const cells = levels.map(({ logits }) => mapSize(logits));
    const anchors = this.anchors.of(cells);
    const counts = cells.map(([height, width]) => height * width * this.anchors.perCell);
    const inside = this.anchors.inside(cells, sizes, { allowedBorder: ANY, padding: this.shared.padding });
    const rows = this.rowsOfImages(levels);
    return truth.map((objects, image) => {
      const targets = this.targetsOf({ anchors, counts, included: inside[image]! }, objects);
      return { rows: rows[image]!, anchors, targets };
    });
  }

  private classSum({ logits }: DenseRows<More>, { labels, valid }: DenseTargets): tf.Scalar {
    const { classes, focal } = this.shared;
    const perAnchor = tf.sum(focalLoss(logits, oneHot(labels, classes), focal), 1);
    return tf.sum(tf.mul(perAnchor, tf.cast(valid, 'float32')));
  }

  private targetsOf(anchors: ImageAnchors, truth: ImageTruth): DenseTargets {
    return tf.tidy(() => {
      const assigned = this.assign(anchors, truth);
      const positive: tf.Tensor1D = tf.greater(assigned, BACKGROUND);
      const rows = truthRowsOf(assigned);
      const background: tf.Tensor1D = tf.fill(assigned.shape, this.shared.classes, 'int32');
      return {
        boxes: takeRows(truth.boxes, rows),
        labels: tf.where(positive, takeRows(truth.labels, rows), background),
        positive,
        valid: tf.greaterEqual(assigned, BACKGROUND) as tf.Tensor1D,
      };
    });
  }

  /**
   * The anchors of a level whose best class scores highest: B boxes, and their scores [B, classes], 0 where a class is too
   * improbable.
   */
  private bestOf(
    maps: DenseMaps<More>,
    level: number,
    image: number,
    size: tf.Tensor1D,
    { perLevel, scoreThreshold }: DenseDetectionOptions,
  ) {
    const rows = eachOf(maps, (map) => tf.reshape<tf.Rank.R2>(tf.slice(map, image, 1), [-1, this.widthOf(map)]));
    const ranked = {
      anchors: this.anchors.ofLevel(level, mapSize(maps.logits)),
      deltas: rows.deltas,
      scores: tf.max(this.scoresOf(rows), 1) as tf.Tensor1D,
    };
    const { boxes, indices } = bestBoxes(ranked, perLevel, size, this.shared.deltas);
    const best = eachOf(rows, (own) => takeRows(own, indices));
    const scores = this.scoresOf(best);
    const counts = tf.greater(tf.sigmoid(best.logits), scoreThreshold);
    return { boxes, scores: tf.where(counts, scores, tf.zerosLike(scores)) };
  }

  /** The rows of each image from the maps of all levels. */
  private rowsOfImages(levels: readonly DenseMaps<More>[]): DenseRows<More>[] {
    const [first] = levels as [DenseMaps<More>];
    const joined = eachOf(first, (map, name) => {
      const maps = levels.map((level) => level[name]);
      return joinLevels(maps, this.widthOf(map));
    });
    return imagesOf(joined);
  }

  /** Numbers that a map has for each anchor. */
  private widthOf({ shape }: tf.Tensor4D): number {
    return shape[3] / this.anchors.perCell;
  }
}

/** The sum of what each image gives. */
export function sumOver<T>(images: readonly T[], sumOf: (image: T) => tf.Scalar): tf.Scalar {
  return tf.addN(images.map(sumOf));
}

function eachOf<N extends string, T, U>(parts: Readonly<Record<N, T>>, change: (part: T, name: N) => U): Record<N, U> {
  const changed = Object.entries<T>(parts).map(([name, part]) => [name, change(part, name as N)]);
  return Object.fromEntries(changed) as Record<N, U>;
}
