/** The published detection trainings. */
import type { Detector } from '@pyramidal/detector';
import { loadConfig, openRecipe } from '@pyramidal/config';
import { trainingBatchSize } from '@pyramidal/task';
import { describeRecipes } from '@pyramidal/task-testing';
import * as tf from '@tensorflow/tfjs-core';
import { assembleDetector, lossOf } from './assemble';
import { detectionSchema } from './config';
import { RECIPES } from './recipes';
import { toyBatch } from './testing/toy-batch';

const TRANSFORMER = ['queries=10', 'encoderLayers=1', 'decoderLayers=2', 'feedForward=32'];
const WIDTHS: Readonly<Record<string, readonly string[]>> = {
  'faster-rcnn': ['boxHidden=32'],
  'mask-rcnn': ['boxHidden=32', 'maskHidden=32'],
  'cascade-mask-rcnn': ['boxHidden=32', 'maskHidden=32'],
  retinanet: ['hidden=32'],
  // Of narrower towers each channel is a group, which is nothing but zero in maps of one cell.
  atss: ['hidden=64'],
  'sparse-rcnn': ['hidden=32', 'stages=2', 'proposals=10', 'dynamic=8'],
  'deformable-detr': TRANSFORMER,
  dino: TRANSFORMER,
};
/** So many that each level has anchors among them, and few enough proposals for small images. */
const FEW = ['anchorSample.count=1000', 'trainProposals.count=50', 'roiSample.count=32'];
/** Anchors of a cascade stay on the image, so that only small ones fit on coarse levels. */
const COUNTS: Readonly<Record<string, readonly string[]>> = {
  'faster-rcnn': FEW,
  'mask-rcnn': FEW,
  'cascade-mask-rcnn': [...FEW, 'anchors.scales=[1]'],
  retinanet: [],
  atss: [],
  'sparse-rcnn': [],
  'deformable-detr': [],
  dino: [],
};
/** What small images give nothing to learn: coarse levels that no object of theirs is looked for on. */
const UNREACHED: Readonly<Record<string, RegExp>> = {
  atss: /^bbox_head\.scales\.[1-4]\./,
  'sparse-rcnn': /^neck\.fpn_convs\.[2-3]\./,
};
const ofDetector = (changes: readonly string[]): string[] => changes.map((change) => `model.detector.${change}`);

describeRecipes({
  book: RECIPES,
  schema: detectionSchema,
  assemble: assembleDetector,
  classes: 80,
  small: ({ model: { detector } }) => ofDetector(COUNTS[detector.name]!),
  narrow: ({ model: { detector } }) => ['model.neck.channels=32', ...ofDetector(WIDTHS[detector.name]!)],
  prepare: awaken,
  loss: (detector, config, { seed }) =>
    lossOf(detector, config)(toyBatch({ images: 1, height: 64, width: 96 }), seed).loss,
  isSilent: ({ model: { detector } }, name) => UNREACHED[detector.name]?.test(name) === true,
  endBelow: (_, { train: { schedule } }) =>
    schedule.name === 'step' && schedule.milestones.length === 1 ? 0.11 : 0.02,
});

it.each([
  ['1x', 12, [8, 11]],
  ['3x', 36, [27, 33]],
])('the %s schedule is the published one', (schedule, epochs, milestones) => {
  const { train, evaluation } = loadConfig(
    detectionSchema,
    openRecipe(RECIPES, { recipe: `mask-rcnn_${schedule}`, backbone: 'groupmixformer_tiny' }),
  ).config;
  expect(train).toMatchObject({ epochs, optimizer: { name: 'adamw', lr: 1e-4, weightDecay: 0.05 } });
  expect(train.schedule).toMatchObject({ name: 'step', gamma: 0.1, milestones });
  expect([trainingBatchSize({ train }) * train.accumulation, evaluation.batchSize]).toEqual([16, 1]);
});

/** Gives weights that begin at zero, and hide others so, other values. */
function awaken(detector: Detector): void {
  for (const [name, parameter] of detector.parameters()) {
    const isZero = parameter.variable.dataSync().every((value) => value === 0);
    if (!isZero || !name.endsWith('weight')) continue;
    const values = tf.tidy(() =>
      tf.randomUniform([...parameter.torchShape], -0.1, 0.1, 'float32', 5).dataSync<'float32'>(),
    );
    parameter.assignTorch(values);
  }
}
