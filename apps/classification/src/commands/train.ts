/** `pyramidal-classify train`. */
import {
  classWeights,
  freezeStages,
  openConfig,
  reportBroken,
  type TrainCommand,
  trainNetwork,
  withBatchSize,
} from '@pyramidal/task';
import type { ImageBatch } from '@pyramidal/imagenet';
import { openRuntime } from '@pyramidal/runtime';
import { startFromFile } from '@pyramidal/training';
import { classificationLoss, evaluationBatches, trainingBatches } from '../assemble';
import { summarise } from '../classification-metrics';
import { openData } from '../data-folder';
import type { ClassificationDefinition } from '../definition';
import { classifierPredictor, evaluateClassifier } from '../evaluate-classifier';
import { describeModel } from '../model-classes';

const CHART = {
  file: 'accuracy.png',
  title: 'Validation accuracy',
  yLabel: 'share of images',
  metrics: ['top1', 'top5'],
};

/** Trains a classifier on an ImageFolder dataset; evaluates on the way and at the end. */
export async function train(
  { schema, assemble, augment }: ClassificationDefinition,
  command: TrainCommand,
): Promise<number> {
  const opened = openConfig(schema, command);
  const { classes: names, split, notes, ...images } = await openData(opened.config);
  for (const note of notes) console.error(note);
  const classes = names.length;
  const weights = await classWeights(opened.config.loss.classWeights, {
    classes: names.map(({ name }) => name),
    count: () => images.training.counts,
  });
  const runtime = await openRuntime(opened.config.runtime);
  console.error(`${runtime.engine}: ${runtime.reason}`);

  const classifier = assemble(opened.config, classes);
  classifier.initialize(opened.config.train.seed);
  const { model } = opened.config;
  if (model.weights !== undefined) startFromFile(model.weights, classifier);
  freezeStages(classifier, model);

  const learning = {
    loss: classificationLoss(classifier, opened.config, { augment, classWeights: weights }),
    tensors: ({ images, targets }: ImageBatch) => ({ images, targets }),
  };
  const { config, text } = await withBatchSize(opened, {
    ...{ schema, command, runtime, module: classifier, ...learning, compile: opened.config.runtime.compile },
    images: images.training.samples.length,
    batches: (sized) => trainingBatches(sized, images.training, classes),
  });
  const training = trainingBatches(config, images.training, classes);
  const validation = images.validation && evaluationBatches(config, images.validation, classes);
  const predict = classifierPredictor(classifier, config.runtime);
  try {
    const exitCode = await trainNetwork({
      ...{ command, config, text, runtime },
      module: classifier,
      ...learning,
      source: training,
      evaluation: validation && {
        best: { metric: 'top1', mode: 'max' },
        run: async ({ signal }) => {
          const { loss, ...shares } = summarise(await evaluateClassifier(predict, validation, classes, signal));
          return config.evaluation.loss ? { ...shares, loss } : shares;
        },
      },
      split,
      chart: CHART,
      model: describeModel(config, names),
    });
    if (validation !== undefined) reportBroken(validation);
    return exitCode;
  } finally {
    await Promise.all([training.close(), validation?.close()]);
    predict.dispose();
    classifier.dispose();
  }
}
