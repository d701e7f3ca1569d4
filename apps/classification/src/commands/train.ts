/** `pyramidal-classify train`. */
import type { ImageBatch, ImageSplit } from '@pyramidal/imagenet';
import type { PixelTensor } from '@pyramidal/images';
import type { Classifier } from '@pyramidal/nn';
import {
  classWeights,
  type NetworkEvaluation,
  prepareTraining,
  type Team,
  type TrainCommand,
  trainNetwork,
} from '@pyramidal/task';
import { classificationLoss } from '../assemble';
import { evaluationBatches, trainingBatches } from '../batches';
import { summarise } from '../classification-metrics';
import type { ClassificationConfig } from '../config';
import { type ClassificationData, openData } from '../data-folder';
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
export async function train(definition: ClassificationDefinition, command: TrainCommand): Promise<number> {
  const prepared = await prepareTraining({ ...definition, open: openWeighted }, command);
  const { config, network, team } = prepared;
  const { classes, training, validation, split, weights } = prepared.data;
  return trainNetwork(prepared, {
    loss: classificationLoss(network, config, { augment: definition.augment, classWeights: weights }),
    images: training.samples.length,
    batches: (sized) => trainingBatches(sized, training, classes.length),
    tensors: ({ images, targets }: ImageBatch<PixelTensor>) => ({ images, targets }),
    evaluation: validation && ((sized) => evaluationOf(network, sized, { validation, classes: classes.length, team })),
    split,
    chart: CHART,
    model: describeModel(config, classes),
  });
}

/** The data, and how much each class counts. */
async function openWeighted(config: ClassificationConfig): Promise<ClassificationData & Weighted> {
  const data = await openData(config);
  const classes = data.classes.map(({ name }) => name);
  const weights = await classWeights(config.loss.classWeights, { classes, count: () => data.training.counts });
  return { ...data, weights };
}

interface Weighted {
  readonly weights: readonly number[] | undefined;
}

function evaluationOf(
  classifier: Classifier,
  config: ClassificationConfig,
  { validation, classes, team }: { readonly validation: ImageSplit; readonly classes: number; readonly team: Team },
): NetworkEvaluation {
  const batches = evaluationBatches(config, validation, classes);
  const predict = classifierPredictor(classifier, config.runtime);
  return {
    best: { metric: 'top1', mode: 'max' },
    async run({ signal }) {
      const { loss, ...shares } = summarise(await evaluateClassifier(predict, batches, classes, { signal, team }));
      return config.evaluation.loss ? { ...shares, loss } : shares;
    },
    broken: batches.broken,
    async close() {
      predict.dispose();
      await batches.close();
    },
  };
}
