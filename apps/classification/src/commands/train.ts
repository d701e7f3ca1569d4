/** `pyramidal-classify train`. */
import { openConfig, reportBroken, type TrainCommand, trainNetwork } from '@pyramidal/task';
import { requireSplit } from '@pyramidal/imagenet';
import { openRuntime } from '@pyramidal/runtime';
import { startFromFile } from '@pyramidal/training';
import { classificationLoss, evaluationBatches, trainingBatches } from '../assemble';
import { summarise } from '../classification-metrics';
import { openData } from '../data-folder';
import type { ClassificationDefinition } from '../definition';
import { classifierPredictor, evaluateClassifier } from '../evaluate-classifier';

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
  const folder = await openData(config, [config.data.train, config.data.val]);
  for (const note of folder.notes) console.error(note);
  const classes = folder.classes.length;
  const runtime = await openRuntime(config.runtime);
  console.error(`${runtime.engine}: ${runtime.reason}`);

  const classifier = assemble(config, classes);
  classifier.initialize(config.train.seed);
  if (config.model.weights !== undefined) startFromFile(config.model.weights, classifier);

  const training = trainingBatches(config, requireSplit(folder, config.data.train), classes);
  const validation = evaluationBatches(config, requireSplit(folder, config.data.val), classes);
  const predict = classifierPredictor(classifier, config.runtime);
  try {
    const exitCode = await trainNetwork({
      ...{ command, config, text, runtime },
      module: classifier,
      loss: classificationLoss(classifier, config, augment),
      source: training,
      tensors: ({ images, targets }) => ({ images, targets }),
      evaluation: {
        best: { metric: 'top1', mode: 'max' },
        run: async ({ signal }) => summarise(await evaluateClassifier(predict, validation, classes, signal)),
      },
      chart: CHART,
    });
    reportBroken(validation);
    return exitCode;
  } finally {
    await Promise.all([training.close(), validation.close()]);
    predict.dispose();
    classifier.dispose();
  }
}
