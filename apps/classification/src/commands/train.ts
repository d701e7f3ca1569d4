/** `pyramidal-classify train`. */
import { classWeights, freezeStages, openConfig, reportBroken, type TrainCommand, trainNetwork } from '@pyramidal/task';
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
  const { config, text } = openConfig(schema, command);
  const { classes: names, split, notes, ...images } = await openData(config);
  for (const note of notes) console.error(note);
  const classes = names.length;
  const weights = await classWeights(config.loss.classWeights, {
    classes: names.map(({ name }) => name),
    count: () => images.training.counts,
  });
  const runtime = await openRuntime(config.runtime);
  console.error(`${runtime.engine}: ${runtime.reason}`);

  const classifier = assemble(config, classes);
  classifier.initialize(config.train.seed);
  if (config.model.weights !== undefined) startFromFile(config.model.weights, classifier);
  freezeStages(classifier, config.model);

  const training = trainingBatches(config, images.training, classes);
  const validation = images.validation && evaluationBatches(config, images.validation, classes);
  const predict = classifierPredictor(classifier, config.runtime);
  try {
    const exitCode = await trainNetwork({
      ...{ command, config, text, runtime },
      module: classifier,
      loss: classificationLoss(classifier, config, { augment, classWeights: weights }),
      source: training,
      tensors: ({ images, targets }) => ({ images, targets }),
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
