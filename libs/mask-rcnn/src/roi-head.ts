/**
 * Heads on RoIs: class, box and mask of each. Several stages make a cascade (Cascade R-CNN, Cai & Vasconcelos 2018),
 * each of which learns from and looks at the boxes that the one before it moved; one stage is Mask R-CNN.
 */
import * as tf from '@tensorflow/tfjs-core';
import { clipBoxes, type DetectionOptions, type Detections, type DrawKeys, type ImageTruth } from '@pyramidal/boxes';
import { type ForwardPass, Module } from '@pyramidal/nn';
import { BoxHead, type BoxHeadOptions, type BoxOutput } from './box-head';
import { detect } from './detect';
import { detached } from './detached';
import { MaskHead, type MaskHeadOptions, ownMasks } from './mask-head';
import { maskTargets, type TruthMasks } from './mask-targets';
import type { Rois } from './roi-align';
import { extractRois } from './roi-extractor';
import { joinTargets, type RoiCandidates, type RoiSampling, type RoiTargets, sampleRois } from './roi-targets';

export interface RoiStageOptions {
  /** RoIs to learn from. */
  readonly rois: RoiSampling;
  readonly box: Omit<BoxHeadOptions, 'classes' | 'channels'>;
  /** Of the stage's losses. */
  readonly weight: number;
}

export interface RoiHeadOptions {
  readonly classes: number;
  readonly stages: readonly RoiStageOptions[];
  readonly mask: Omit<MaskHeadOptions, 'classes' | 'channels'> & {
    /** Side of the mask head's RoI features; masks are twice as large. */
    readonly bins: number;
    /** Points per bin and axis with which ground truth masks are averaged. */
    readonly targetSampling: number | 'adaptive';
  };
  /** Points per bin and axis of RoIAlign: 2, or 'adaptive' as published checkpoints expect (not in compiled steps). */
  readonly sampling: number | 'adaptive';
  readonly detections: DetectionOptions;
}

/** What RoIs are read from. */
export interface RoiSource {
  /** Finest first; RoIs are read from those of the backbone's levels. */
  readonly maps: readonly tf.Tensor4D[];
  /** float32 [N, 2], (height, width) of each image. */
  readonly sizes: tf.Tensor2D;
}

/** Of one image. */
export interface RoiTruth {
  readonly objects: ImageTruth;
  readonly masks: TruthMasks;
}

/** Losses of one stage by its weight, and the share of its samples whose class comes out right, in percent. */
export type StageLosses = Readonly<Record<'boxClass' | 'box' | 'mask' | 'accuracy', tf.Scalar>>;

/** Detections of one image with their masks. */
export type MaskDetections = Detections & Required<Pick<Detections, 'masks'>>;

interface Stage extends RoiStageOptions {
  readonly boxHead: BoxHead;
  readonly maskHead: MaskHead;
}

/** RoIs are read from the levels of the backbone, not from those beyond. */
const ROI_LEVELS = 4;

export class RoiHead extends Module {
  /** The heads of a cascade are numbered in the official names, a single one is not. */
  readonly bboxHead: BoxHead | BoxHead[];
  readonly maskHead: MaskHead | MaskHead[];
  readonly #stages: readonly Stage[];
  readonly #strides: readonly number[];
  readonly #options: RoiHeadOptions;

  constructor({ channels, strides }: { channels: number; strides: readonly number[] }, options: RoiHeadOptions) {
    super();
    const { classes, mask } = options;
    this.#stages = options.stages.map((stage) => ({
      ...stage,
      boxHead: new BoxHead({ ...stage.box, classes, channels }),
      maskHead: new MaskHead({ ...mask, classes, channels }),
    }));
    this.bboxHead = oneOrAll(this.#stages.map(({ boxHead }) => boxHead));
    this.maskHead = oneOrAll(this.#stages.map(({ maskHead }) => maskHead));
    this.#strides = strides.slice(0, ROI_LEVELS);
    this.#options = options;
  }

  /**
   * Losses stage by stage.
   * @param proposals of every image. @param truth of every image.
   */
  loss(
    source: RoiSource,
    proposals: readonly RoiCandidates[],
    truth: readonly RoiTruth[],
    drawKeys: DrawKeys,
    pass: ForwardPass,
  ): StageLosses[] {
    const losses: StageLosses[] = [];
    let candidates = proposals;
    for (const { boxHead, maskHead, rois, weight } of this.#stages) {
      const targets = candidates.map((found, image) => {
        return sampleRois(found, truth[image]!.objects, this.#options.classes, rois, drawKeys);
      });
      const joined = joinTargets(targets);
      const output = this.#lookAt(boxHead, source, targets.map(({ boxes }) => boxes), pass); // prettier-ignore
      const { class: boxClass, box, accuracy } = boxHead.loss(output, joined);
      const mask = this.#maskLoss(maskHead, source, targets, truth, pass);
      losses.push({ ...weighted({ boxClass, box, mask }, weight), accuracy });
      if (losses.length < this.#stages.length) candidates = moveTargets(boxHead, output, targets, joined, source.sizes);
    }
    return losses;
  }

  /**
   * Detections of every image: classes by the mean of the stages' logits, boxes from the last stage, masks by the mean
   * of the stages' probabilities.
   * @param scales float32 [N, 2], (y, x): the network's input over the original images.
   */
  predict(
    source: RoiSource,
    proposals: readonly RoiCandidates[],
    scales: tf.Tensor2D,
    pass: ForwardPass,
  ): MaskDetections[] {
    const counts = proposals.map(({ boxes }) => boxes.shape[0]);
    const outputs: BoxOutput[] = [];
    let boxes = proposals.map((found) => found.boxes);
    for (const { boxHead } of this.#stages) {
      const before = outputs.at(-1);
      if (before !== undefined) boxes = move(this.#stages[outputs.length - 1]!.boxHead, before, boxes, source.sizes);
      outputs.push(this.#lookAt(boxHead, source, boxes, pass));
    }
    const logits = splitRows(mean(outputs.map((output) => output.logits)), counts);
    const deltas = splitRows(outputs.at(-1)!.deltas, counts);
    const { options } = this.#stages.at(-1)!.boxHead;
    const found = proposals.map(({ valid }, image) => {
      const inputs = { boxes: boxes[image]!, valid, size: rowOf(source.sizes, image), scale: rowOf(scales, image) };
      return detect({ logits: logits[image]!, deltas: deltas[image]! }, inputs, options, this.#options.detections);
    });
    const masks = this.#masksOf(source, found, scales, pass);
    return found.map((detections, image) => ({ ...detections, masks: masks[image]! }));
  }

  #lookAt(boxHead: BoxHead, source: RoiSource, boxes: readonly tf.Tensor2D[], pass: ForwardPass): BoxOutput {
    return boxHead.forward(this.#features(source, roisOf(boxes), boxHead.options.bins), pass);
  }

  /** Learns from the slots that positives can take. */
  #maskLoss(
    maskHead: MaskHead,
    source: RoiSource,
    targets: readonly RoiTargets[],
    truth: readonly RoiTruth[],
    pass: ForwardPass,
  ): tf.Scalar {
    const { bins, targetSampling: sampling } = this.#options.mask;
    const front = targets.map(({ boxes, truthRows, labels, positive, positiveSlots }) => {
      const first = <T extends tf.Tensor>(values: T): T => tf.slice(values, 0, positiveSlots);
      return { boxes: first(boxes), rows: first(truthRows), labels: first(labels), positive: first(positive) };
    });
    const wanted = front.map(({ boxes, rows }, image) => {
      const options = { side: 2 * bins, sampling };
      return maskTargets(truth[image]!.masks, boxes, rows, rowOf(source.sizes, image), options);
    });
    const features = this.#features(source, roisOf(front.map(({ boxes }) => boxes)), bins);
    const labels = tf.concat(front.map((image) => image.labels));
    const positive = tf.concat(front.map((image) => image.positive));
    return maskHead.loss(maskHead.forward(features, pass), tf.concat(wanted), labels, positive);
  }

  #masksOf(source: RoiSource, found: readonly Detections[], scales: tf.Tensor2D, pass: ForwardPass): tf.Tensor3D[] {
    const boxes = found.map((image, i): tf.Tensor2D => tf.mul(image.boxes, tf.tile(tf.reverse(rowOf(scales, i)), [2])));
    const features = this.#features(source, roisOf(boxes), this.#options.mask.bins);
    const labels = tf.concat(found.map((image) => image.labels));
    const masks = this.#stages.map(({ maskHead }) => tf.sigmoid(ownMasks(maskHead.forward(features, pass), labels)));
    return splitRows(mean(masks), boxes.map(({ shape }) => shape[0])); // prettier-ignore
  }

  #features({ maps }: RoiSource, rois: Rois, bins: number): tf.Tensor4D {
    const options = { bins: [bins, bins], sampling: this.#options.sampling } as const;
    return extractRois(maps.slice(0, ROI_LEVELS), this.#strides, rois, options);
  }
}

/** The sampled RoIs as the candidates of the next stage, moved; the ground truth among them stays behind. */
function moveTargets(
  boxHead: BoxHead,
  output: BoxOutput,
  targets: readonly RoiTargets[],
  { labels, positive }: RoiTargets,
  sizes: tf.Tensor2D,
): RoiCandidates[] {
  const classes = tf.where(positive, labels, boxHead.bestClasses(output));
  const moved = move(boxHead, output, targets.map(({ boxes }) => boxes), sizes, classes); // prettier-ignore
  return targets.map(({ valid, isTruth }, image) => {
    return { boxes: moved[image]!, valid: tf.logicalAnd(valid, tf.logicalNot(isTruth)) };
  });
}

/** RoIs moved by the deltas of a class, of the best one unless told, within their images; they carry no gradient. */
function move(
  boxHead: BoxHead,
  output: BoxOutput,
  boxes: readonly tf.Tensor2D[],
  sizes: tf.Tensor2D,
  classes?: tf.Tensor1D,
): tf.Tensor2D[] {
  const moved = detached(() => boxHead.move(tf.concat([...boxes]), output, classes ?? boxHead.bestClasses(output)));
  const perImage = splitRows(moved, boxes.map(({ shape }) => shape[0])); // prettier-ignore
  return perImage.map((own, image) => clipBoxes(own, rowOf(sizes, image)));
}

/** The boxes of all images in one list. */
function roisOf(perImage: readonly tf.Tensor2D[]): Rois {
  const images = perImage.map((boxes, image): tf.Tensor1D => tf.fill([boxes.shape[0]], image, 'int32'));
  return { boxes: tf.concat([...perImage]), images: tf.concat(images) };
}

function splitRows<T extends tf.Tensor>(joined: T, counts: number[]): T[] {
  return tf.split(joined, counts);
}

function rowOf(pairs: tf.Tensor2D, row: number): tf.Tensor1D {
  return tf.reshape(tf.slice(pairs, row, 1), [2]);
}

function mean<T extends tf.Tensor>(values: T[]): T {
  return values.length === 1 ? values[0]! : (tf.div(tf.addN(values), values.length) as T);
}

function weighted<K extends string>(losses: Record<K, tf.Scalar>, weight: number): Record<K, tf.Scalar> {
  if (weight === 1) return losses;
  const entries = Object.entries<tf.Scalar>(losses).map(([name, loss]) => [name, tf.mul(loss, weight)]);
  return Object.fromEntries(entries) as Record<K, tf.Scalar>;
}

function oneOrAll<T>(heads: T[]): T | T[] {
  return heads.length === 1 ? heads[0]! : heads;
}
