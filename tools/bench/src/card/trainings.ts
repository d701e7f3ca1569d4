/** One update of every detector, head and family of backbones on noise, in toy sizes. */
import { createClassifier, type VariantName } from '@pyramidal/backbones';
import { loadConfig } from '@pyramidal/config';
import { assembleDetector, detectionSchema, type DetectionConfig } from '@pyramidal/detection';
import { randomKeys } from '@pyramidal/detector';
import { crossEntropy, ForwardPass, type Module } from '@pyramidal/nn';
import { assembleSegmentor, segmentationSchema, type SegmentationConfig } from '@pyramidal/segmentation';
import { sgd, trainStep, type Batch, type Losses } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { join } from 'node:path';
import { numbersOf, type Case, type How, type Numbers } from './case';

type DetectorName = DetectionConfig['model']['detector']['name'];
type HeadName = SegmentationConfig['model']['head']['name'];

const CONFIGS = join(__dirname, '../../../../configs');
const [SIDE, CLASSES, MASK_SIDE] = [64, 5, 28];

const TWO_STAGE =
  'boxHidden: 32, anchors: { scales: [4], ratios: [1] }, anchorSample: { count: 32 }, roiSample: { count: 16 }, ' +
  'trainProposals: { perLevel: 20, count: 16 }';
const MASKS = 'maskHidden: 16, maskConvs: 1';
const TRANSFORMER = 'queries: 10, encoderLayers: 1, decoderLayers: 2, heads: 2, points: 2, feedForward: 32, dropout: 0';

const DETECTORS: Readonly<Record<DetectorName, string>> = {
  'faster-rcnn': TWO_STAGE,
  'mask-rcnn': `${TWO_STAGE}, ${MASKS}`,
  'cascade-rcnn': TWO_STAGE,
  'cascade-mask-rcnn': `${TWO_STAGE}, ${MASKS}`,
  retinanet: 'convs: 1, hidden: 16, anchors: { scales: [2], ratios: [1] }',
  atss: 'convs: 1, hidden: 32, anchorScale: 2',
  'sparse-rcnn': 'proposals: 8, stages: 2, heads: 2, hidden: 32, dynamic: 8',
  'deformable-detr': TRANSFORMER,
  dino: TRANSFORMER,
};

const HEADS: Readonly<Record<HeadName, string>> = {
  upernet: 'channels: 16, auxiliaryChannels: 16',
  'semantic-fpn': 'channels: 16',
};

/** The smallest of each family, CoaT's two kinds apart. */
const FAMILIES: readonly VariantName[] = [
  'groupmixformer_miny',
  'coat_tiny',
  'coat_lite_tiny',
  'maformer_small',
  'smt_tiny',
];
const SHALLOW = { depths: [1, 1, 1, 1], dropPath: 0 } as const;
const BACKBONE = 'model.backbone={ name: groupmixformer_miny, channels: [10, 10, 10, 10], depths: [1, 1, 1, 1] }';

export const TRAINING_CASES: readonly Case[] = [
  ...FAMILIES.map((name): Case => ({ kind: 'family', name, run: (how) => trainClassifier(name, how) })),
  ...Object.entries(HEADS).map(([name, settings]): Case => {
    return { kind: 'head', name, run: (how) => trainSegmentor(`{ name: ${name}, ${settings} }`, how) };
  }),
  ...Object.entries(DETECTORS).map(([name, settings]): Case => {
    return { kind: 'detector', name, run: (how) => trainDetector(`{ name: ${name}, ${settings} }`, how) };
  }),
];

const noise = (): tf.Tensor4D => tf.randomNormal([2, SIDE, SIDE, 3], 0, 1, 'float32', 2);

function trainClassifier(name: VariantName, how: How): Promise<Numbers> {
  const classifier = createClassifier(name, CLASSES, SHALLOW);
  const batch = { images: noise(), labels: tf.tensor1d([1, 3], 'int32') };
  return update(classifier, batch, how, ({ images, labels }, seed) => {
    const logits = classifier.forward(images, new ForwardPass({ mode: 'train', seed }));
    return { loss: crossEntropy(logits, labels) };
  });
}

function trainSegmentor(head: string, how: How): Promise<Numbers> {
  const set = [BACKBONE, `model.head=${head}`];
  const { config } = loadConfig(segmentationSchema, join(CONFIGS, 'segmentation/sample.yaml'), { set });
  const segmentor = assembleSegmentor(config, CLASSES);
  const labels = tf.tidy(() => tf.mod(tf.range(0, 2 * SIDE * SIDE, 1, 'int32'), tf.scalar(CLASSES, 'int32')));
  const batch = { images: noise(), labels: tf.reshape<tf.Rank.R3>(labels, [2, SIDE, SIDE]) };
  labels.dispose();
  return update(segmentor, batch, how, ({ images, labels: truth }, seed) =>
    segmentor.loss(images, truth, new ForwardPass({ mode: 'train', seed })),
  );
}

function trainDetector(detector: string, how: How): Promise<Numbers> {
  const set = [BACKBONE, 'model.neck.channels=32', `model.detector=${detector}`];
  const { config } = loadConfig(detectionSchema, join(CONFIGS, 'detection/sample.yaml'), { set });
  const network = assembleDetector(config, CLASSES);
  const rows = tf.tensor3d([4, 5, 40, 30, 20, 30, 60, 62, 6, 3, 38, 33, 18, 32, 58, 60], [2, 2, 4]);
  const batch = {
    images: noise(),
    sizes: tf.tensor2d([SIDE, SIDE, SIDE, SIDE], [2, 2]),
    boxes: rows,
    labels: tf.tensor2d([1, 3, 2, 0], [2, 2], 'int32'),
    masks: tf.ones<tf.Rank.R4>([2, 2, MASK_SIDE, MASK_SIDE]),
    regions: tf.clone(rows),
    ignored: tf.zeros<tf.Rank.R3>([2, 1, 4]),
  };
  return update(network, batch, how, ({ images, sizes, ...truth }, seed) =>
    network.loss({ images, sizes }, truth, randomKeys(seed), new ForwardPass({ mode: 'train', seed })),
  );
}

/** The loss scale of fp16 begins at 2^16: after as many updates that were skipped it is 1. */
const MOST_SKIPPED = 16;

/**
 * What the first update reports: losses, the gradient's norm, and the norm of the weights after it. An update whose scaled
 * gradients pass fp16's largest number is skipped, which changes nothing but the scale: then the next one is the first.
 */
async function update<B extends Batch>(
  module: Module,
  batch: B,
  { compiled, precision }: How,
  loss: (batch: B, seed: tf.Tensor1D) => Losses,
): Promise<Numbers> {
  module.initialize(1);
  const optimizer = sgd(module.parameters(), { momentum: 0.9 });
  const step = trainStep<B>({ module, loss, optimizer, compile: compiled, precision });
  try {
    const run = (): Promise<Numbers> => numbersOf(step.run([batch], { update: 0, lr: 1e-3, seed: 0 }));
    let numbers = await run();
    for (let tries = 0; tries < MOST_SKIPPED && numbers['skipped']?.[0] === 1; tries++) numbers = await run();
    return numbers;
  } finally {
    step.dispose();
    module.dispose();
    tf.dispose({ ...batch });
  }
}
