/**
 * Heads on RoIs (Fast R-CNN, Girshick 2015): class and box of each, and a mask if there is a mask branch. Several stages
 * make a cascade (Cai & Vasconcelos 2018), each of which learns from and predicts on the boxes that the one before moved.
 */
import * as tf from '@tensorflow/tfjs-core';
import { clipBoxes, detached } from '@pyramidal/boxes';
import type { DetectionOptions, Detections, DrawKeys, ImageTruth, MaskTruth } from '@pyramidal/detector';
import { joinRois, RoiFeatures, type RoiImages, rowOf, splitRows } from '@pyramidal/rois';
import { type ForwardPass, Module } from '@pyramidal/nn';
import { BoxHead, type BoxHeadOptions, type BoxOutput } from './box-head';
import { detect } from './detect';
import { MaskBranch, type MaskBranchOptions } from './mask-branch';
import type { MaskHead } from './mask-head';
import { mean } from './mean';
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
  /** One, or those of a cascade. */
  readonly stages: readonly RoiStageOptions[];
  /** Every stage's; none for boxes alone. */
  readonly mask?: MaskBranchOptions;
  /** Points per bin and axis of RoIAlign: 2, or 'adaptive' as published checkpoints expect. */
  readonly sampling: number | 'adaptive';
  readonly detections: DetectionOptions;
}

/** Ground truth of every image; with masks if there is a mask branch. */
export interface RoiTruth {
  readonly objects: readonly ImageTruth[];
  readonly masks?: readonly MaskTruth[];
}

/** Losses of one stage by its weight, and the share of its samples whose class is right, in percent. */
export interface StageLosses {
  readonly boxClass: tf.Scalar;
  readonly box: tf.Scalar;
  readonly mask?: tf.Scalar;
  readonly accuracy: tf.Scalar;
}

interface Stage extends RoiStageOptions {
  readonly boxHead: BoxHead;
  readonly maskHead: MaskHead | undefined;
}

export class RoiHead extends Module {
  /** The heads of a cascade are numbered in the official names, a single one is not. */
  readonly bboxHead: BoxHead | BoxHead[];
  readonly maskHead: MaskHead | MaskHead[] | undefined;
  private readonly stages: readonly Stage[];
  private readonly masks: MaskBranch | undefined;
  private readonly features: RoiFeatures;
  private readonly options: RoiHeadOptions;

  constructor(
    { channels, strides }: { readonly channels: number; readonly strides: readonly number[] },
    options: RoiHeadOptions,
  ) {
    super();
    const { classes, mask, sampling } = options;
    this.features = new RoiFeatures(strides, sampling);
    this.masks = mask && new MaskBranch({ ...mask, classes, channels }, this.features);
    this.stages = options.stages.map((stage) => ({
      ...stage,
      boxHead: new BoxHead({ ...stage.box, classes, channels }),
      maskHead: this.masks?.createHead(),
    }));
    this.bboxHead = oneOrAll(this.stages.map(({ boxHead }) => boxHead));
    this.maskHead = mask && oneOrAll(this.stages.flatMap(({ maskHead }) => maskHead ?? []));
    this.options = options;
  }

  /**
   * Losses stage by stage.
   * @param proposals of every image.
   */
  loss(
    images: RoiImages,
    proposals: readonly RoiCandidates[],
    truth: RoiTruth,
    drawKeys: DrawKeys,
    pass: ForwardPass,
  ): StageLosses[] {
    let candidates = proposals;
    return this.stages.map(({ boxHead, maskHead, rois, weight }, stage) => {
      const targets = truth.objects.map((objects, image) => {
        return sampleRois(candidates[image]!, objects, this.options.classes, rois, drawKeys);
      });
      const joined = joinTargets(targets);
      const output = this.classify(boxHead, images, targets.map(({ boxes }) => boxes), pass); // prettier-ignore
      const { class: boxClass, box, accuracy } = boxHead.loss(output, joined);
      const mask = maskHead && this.masks?.loss(maskHead, images, targets, truth.masks ?? [], pass);
      if (stage < this.stages.length - 1) candidates = moveTargets(boxHead, output, targets, joined, images.sizes);
      return { ...weighted({ boxClass, box, ...(mask && { mask }) }, weight), accuracy };
    });
  }

  /**
   * Detections of every image: classes by the mean of the stages' logits, boxes from the last stage, masks by the mean
   * of the stages' probabilities.
   * @param proposals of every image. @param scales float32 [N, 2], (y, x): the network's input over the original images.
   */
  predict(
    images: RoiImages,
    proposals: readonly RoiCandidates[],
    scales: tf.Tensor2D,
    pass: ForwardPass,
  ): Detections[] {
    const outputs: BoxOutput[] = [];
    let boxes = proposals.map((found) => found.boxes);
    this.stages.forEach(({ boxHead }, stage) => {
      const output = this.classify(boxHead, images, boxes, pass);
      outputs.push(output);
      if (stage < this.stages.length - 1) boxes = move(boxHead, output, boxes, images.sizes);
    });
    const counts = boxes.map(({ shape }) => shape[0]);
    const logits = splitRows(mean(outputs.map((output) => output.logits)), counts);
    const deltas = splitRows(outputs.at(-1)!.deltas, counts);
    const { options } = this.stages.at(-1)!.boxHead;
    const found = proposals.map(({ valid }, image) => {
      const inputs = { boxes: boxes[image]!, valid, size: rowOf(images.sizes, image), scale: rowOf(scales, image) };
      return detect({ logits: logits[image]!, deltas: deltas[image]! }, inputs, options, this.options.detections);
    });
    const maskHeads = this.stages.flatMap(({ maskHead }) => maskHead ?? []);
    return this.masks?.addMasks(maskHeads, images, found, scales, pass) ?? found;
  }

  private classify(boxHead: BoxHead, images: RoiImages, boxes: readonly tf.Tensor2D[], pass: ForwardPass): BoxOutput {
    return boxHead.forward(this.features.of(images, joinRois(boxes), boxHead.options.bins), pass);
  }
}

/** The sampled RoIs as the candidates of the next stage, moved; the ground truth among them is left out. */
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

/** RoIs moved by the deltas of a class each, by default the best, within their images; they carry no gradient. */
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

function weighted<L extends Readonly<Record<string, tf.Scalar>>>(losses: L, weight: number): L {
  if (weight === 1) return losses;
  return Object.fromEntries(Object.entries(losses).map(([name, loss]) => [name, tf.mul(loss, weight)])) as L;
}

function oneOrAll<T>(heads: T[]): T | T[] {
  const [first, ...others] = heads;
  return first !== undefined && others.length === 0 ? first : heads;
}
