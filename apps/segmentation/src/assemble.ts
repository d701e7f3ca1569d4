import {
  type EvaluationTransform,
  type LabelCoding,
  openSegmentationBatches,
  type SegmentationBatch,
  type SegmentationSplit,
} from '@pyramidal/ade20k';
import { backboneCatalogue, type BackboneCatalogue } from '@pyramidal/backbones';
import { createPredictor, type Predictor } from '@pyramidal/task';
import { Fpn } from '@pyramidal/fpn';
import { IMAGENET_NORMALISATION } from '@pyramidal/images';
import type { BatchSource } from '@pyramidal/loading';
import { ForwardPass, inferencePass, LEVELS } from '@pyramidal/nn';
import type { Losses } from '@pyramidal/training';
import { FcnHead, SemanticFpnHead, Segmentor, UperHead } from '@pyramidal/upernet';
import type * as tf from '@tensorflow/tfjs-core';
import type { SegmentationConfig } from './config';

/** The map that the auxiliary head reads: C4. */
const AUXILIARY = 2;

/** The network that a configuration describes, without values yet. */
export function assembleSegmentor(
  { model }: SegmentationConfig,
  classes: number,
  backbones: BackboneCatalogue = backboneCatalogue(),
): Segmentor {
  const { name, ...overrides } = model.backbone;
  const backbone = backbones.create(name, overrides);
  const levels = LEVELS.map((level) => backbone.levels[level]);
  const { head } = model;
  if (head.name === 'semantic-fpn') {
    const { neckChannels, channels } = head;
    const neck = new Fpn({ levels, channels: neckChannels, outputs: levels.length });
    const options = { inChannels: neckChannels, levels: levels.length, channels, classes };
    return new Segmentor({ backbone, neck, decodeHead: new SemanticFpnHead(options) });
  }
  const inChannels = levels.map(({ channels }) => channels);
  const decodeHead = new UperHead({ inChannels, channels: head.channels, classes });
  if (head.auxiliaryChannels === 0) return new Segmentor({ backbone, decodeHead });
  const auxiliaryHead = new FcnHead({
    index: AUXILIARY,
    inChannels: inChannels[AUXILIARY]!,
    channels: head.auxiliaryChannels,
    convs: 1,
    classes,
  });
  return new Segmentor({ backbone, decodeHead, auxiliaryHead });
}

export type SegmentationTensors = Pick<SegmentationBatch, 'images' | 'labels'> & tf.NamedTensorMap;

/** The loss of one batch; static, so that a whole step compiles. */
export function lossOf(segmentor: Segmentor, { train: { recompute } }: SegmentationConfig, augment = unchanged) {
  return ({ images, labels }: SegmentationTensors, seed: tf.Tensor1D): Losses =>
    segmentor.loss(augment(images, seed), labels, new ForwardPass({ mode: 'train', seed, recompute }));
}

const unchanged = (images: tf.Tensor4D, _seed: tf.Tensor1D): tf.Tensor4D => images;

/**
 * The network as one function of images. Windows share a size, so that they share a graph; whole images do not, and
 * recording a graph for each would cost more than it saves.
 */
export function segmentorPredictor(
  segmentor: Segmentor,
  { inference, runtime }: SegmentationConfig,
): Predictor<tf.Tensor4D> {
  const compile = runtime.compile && inference.mode === 'slide';
  return createPredictor((images) => segmentor.forward(images, inferencePass()), { compile });
}

export const codingOf = ({ data: { reduceZeroLabel } }: SegmentationConfig, classes: number): LabelCoding => ({
  classes,
  reduceZeroLabel,
});

/** Augmented, shuffled, full batches. */
export function trainingBatches(
  config: SegmentationConfig,
  split: SegmentationSplit,
  classes: number,
): BatchSource<SegmentationBatch> {
  const { data, input, augmentation, train } = config;
  const { crop, ...scale } = input;
  return openSegmentationBatches({
    samples: split.samples,
    coding: codingOf(config, classes),
    transform: { ...augmentation, scale, crop, normalisation: IMAGENET_NORMALISATION },
    batchSize: Math.min(train.batchSize, split.samples.length),
    lastBatch: 'drop',
    shuffle: true,
    seed: train.seed,
    onBroken: data.onBroken,
    workers: data.workers,
  });
}

export function evaluationTransform({ input, testTime }: SegmentationConfig): EvaluationTransform {
  const { longest, shortest } = input;
  return { scale: { longest, shortest }, ratios: testTime.ratios, normalisation: IMAGENET_NORMALISATION };
}
