import { writeFileSync } from 'node:fs';
import type { SegmentationBatches, SegmentationSplit } from '@pyramidal/ade20k';
import { reportBroken, type TrainCommand, trainingCurves } from '@pyramidal/cli';
import { loadConfig } from '@pyramidal/config';
import { openRuntime } from '@pyramidal/runtime';
import {
  createOptimizer,
  createSchedule,
  type Evaluation,
  loadWeightsFile,
  openRunFolder,
  type RunLength,
  train as runTraining,
  type TrainingData,
  trainStep,
} from '@pyramidal/training';
import type { Network } from '@pyramidal/upernet';
import { assembleSegmentor, lossOf, type SegmentationTensors, segmentorPredictor, trainingBatches } from '../assemble';
import { type SegmentationConfig, segmentationSchema } from '../config';
import { openData, splitOf } from '../data-folder';
import { evaluateSegmentor, summarise } from '../evaluate-segmentor';

const CHART = {
  file: 'accuracy.png',
  title: 'Validation',
  yLabel: 'mIoU and shares of pixels',
  metrics: ['mIoU', 'mAcc', 'aAcc'],
};

/** What a classifier's checkpoint leaves as it was drawn. */
const HEADS = /^(neck|decode_head|auxiliary_head)\./;

/** Trains a segmentor on a dataset in ADE20K's layout; evaluates on the way and at the end. */
export async function train({ config: file, set, out, resume }: TrainCommand): Promise<number> {
  const { config, text } = loadConfig(segmentationSchema, file, { set });
  const folder = await openData(config, [config.data.train, config.data.val]);
  const classes = folder.classes.length;
  const runtime = await openRuntime(config.runtime);
  console.error(`${runtime.engine}: ${runtime.reason}`);

  const segmentor = assembleSegmentor(config, classes);
  segmentor.initialize(config.train.seed);
  if (config.model.weights !== undefined) {
    loadWeightsFile(config.model.weights, segmentor, { skipClassHeads: true, allowMissing: HEADS });
  }

  const { optimizer: optimizerConfig, schedule, ema, ...options } = config.train;
  const step = trainStep<SegmentationTensors>({
    module: segmentor,
    loss: lossOf(segmentor),
    optimizer: createOptimizer(segmentor.parameters(), optimizerConfig),
    clipGradNorm: options.clipGradNorm,
    emaDecay: ema?.decay,
    accumulation: options.accumulation,
    compile: config.runtime.compile,
    precision: config.runtime.precision,
  });
  const training = trainingBatches(config, splitOf(folder, config.data.train), classes);
  const predict = segmentorPredictor(segmentor, config);
  const length = lengthOf(config);
  const frame = {
    lr: optimizerConfig.lr,
    length,
    updatesPerEpoch: Math.floor(training.batchesPerEpoch / options.accumulation),
  };
  const run = openRunFolder({ folder: out, resume, config: text, info: { command: 'train', runtime } });
  try {
    const { exitCode } = await runTraining({
      ...options,
      folder: run,
      step,
      data: trainingData(training, config),
      length,
      schedule: createSchedule(schedule, frame),
      evaluation: evaluation(config, predict, splitOf(folder, config.data.val), classes),
    });
    reportBroken(training);
    const curves = await trainingCurves(run.file('metrics.jsonl'), CHART);
    for (const [name, picture] of curves) writeFileSync(run.file(name), picture);
    if (exitCode === 0) console.error(`done: ${run.folder}`);
    return exitCode;
  } finally {
    run.close();
    await training.close();
    predict.dispose();
    step.dispose();
    segmentor.dispose();
  }
}

function lengthOf({ train: { epochs, iterations } }: SegmentationConfig): RunLength {
  return epochs === undefined ? { iterations: iterations! } : { epochs };
}

function trainingData(
  batches: SegmentationBatches,
  { train: { batchSize } }: SegmentationConfig,
): TrainingData<SegmentationTensors> {
  return {
    batchesPerEpoch: batches.batchesPerEpoch,
    batchSize,
    async *epoch(epoch, firstBatch) {
      for await (const { images, labels } of batches.batches({ epoch, batch: firstBatch })) yield { images, labels };
    },
  };
}

function evaluation(
  config: SegmentationConfig,
  network: Network,
  split: SegmentationSplit,
  classes: number,
): Evaluation {
  return {
    every: config.evaluation.every,
    ema: config.evaluation.ema,
    best: { metric: 'mIoU', mode: 'max' },
    run: async ({ signal }) => summarise(await evaluateSegmentor(network, config, split, classes, { signal })),
  };
}
