import { writeFileSync } from 'node:fs';
import { type Predictor, reportBroken, type TrainCommand, trainingCurves } from '@pyramidal/cli';
import { loadConfig } from '@pyramidal/config';
import { type ImageBatches, openImageFolder, requireSplit } from '@pyramidal/imagenet';
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
import type * as tf from '@tensorflow/tfjs-core';
import {
  assembleClassifier,
  type ClassificationBatch,
  classificationLoss,
  evaluationBatches,
  trainingBatches,
} from '../assemble';
import { summarise } from '../classification-metrics';
import { type ClassificationConfig, classificationSchema } from '../config';
import { classifierPredictor, evaluateClassifier } from '../evaluate-classifier';

const CHART = {
  file: 'accuracy.png',
  title: 'Validation accuracy',
  yLabel: 'share of images',
  metrics: ['top1', 'top5'],
};

/** Trains a classifier on an ImageFolder dataset; evaluates on the way and at the end. */
export async function train({ config: file, set, out, resume }: TrainCommand): Promise<number> {
  const { config, text } = loadConfig(classificationSchema, file, { set });
  const folder = await openImageFolder(config.data.root, folderOptions(config));
  const classes = folder.classes.length;
  const runtime = await openRuntime(config.runtime);
  console.error(`${runtime.engine}: ${runtime.reason}`);

  const classifier = assembleClassifier(config, classes);
  classifier.initialize(config.train.seed);
  if (config.model.weights !== undefined) loadWeightsFile(config.model.weights, classifier, { skipClassHeads: true });

  const { optimizer: optimizerConfig, schedule, ema, ...options } = config.train;
  const optimizer = createOptimizer(classifier.parameters(), optimizerConfig);
  const step = trainStep<ClassificationBatch>({
    module: classifier,
    loss: classificationLoss(classifier, config),
    optimizer,
    clipGradNorm: options.clipGradNorm,
    emaDecay: ema?.decay,
    accumulation: options.accumulation,
    compile: config.runtime.compile,
    precision: config.runtime.precision,
  });
  const training = trainingBatches(config, requireSplit(folder, config.data.train), classes);
  const validation = evaluationBatches(config, requireSplit(folder, config.data.val), classes);
  const predict = classifierPredictor(classifier, config.runtime);
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
      evaluation: evaluation(config, predict, validation, classes),
    });
    reportBroken(training, validation);
    const curves = await trainingCurves(run.file('metrics.jsonl'), CHART);
    for (const [name, picture] of curves) writeFileSync(run.file(name), picture);
    if (exitCode === 0) console.error(`done: ${run.folder}`);
    return exitCode;
  } finally {
    run.close();
    await Promise.all([training.close(), validation.close()]);
    predict.dispose();
    step.dispose();
    classifier.dispose();
  }
}

function folderOptions({ data }: ClassificationConfig) {
  return { splits: [data.train, data.val], ...(data.classIndex === undefined ? {} : { classIndex: data.classIndex }) };
}

function lengthOf({ train: { epochs, iterations } }: ClassificationConfig): RunLength {
  return epochs === undefined ? { iterations: iterations! } : { epochs };
}

function trainingData(
  batches: ImageBatches,
  { train: { batchSize } }: ClassificationConfig,
): TrainingData<ClassificationBatch> {
  return {
    batchesPerEpoch: batches.batchesPerEpoch,
    batchSize,
    async *epoch(epoch, firstBatch) {
      for await (const { images, targets } of batches.batches({ epoch, batch: firstBatch })) yield { images, targets };
    },
  };
}

function evaluation(
  config: ClassificationConfig,
  predict: Predictor<tf.Tensor2D>,
  batches: ImageBatches,
  classes: number,
): Evaluation {
  return {
    every: config.evaluation.every,
    ema: config.evaluation.ema,
    best: { metric: 'top1', mode: 'max' },
    run: async ({ signal }) => summarise(await evaluateClassifier(predict, batches, classes, signal)),
  };
}
