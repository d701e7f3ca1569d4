/** `pyramidal-segment train`. */
import { countPixels, type SegmentationBatch, type SegmentationSplit } from '@pyramidal/ade20k';
import type { PixelTensor } from '@pyramidal/images';
import {
  classWeights,
  type NetworkEvaluation,
  prepareTraining,
  type Team,
  type TrainCommand,
  trainNetwork,
} from '@pyramidal/task';
import type { Segmentor } from '@pyramidal/upernet';
import { codingOf, lossOf, measuredLossOf, segmentorPredictor } from '../assemble';
import { measuredBatches, trainingBatches } from '../batches';
import type { SegmentationConfig } from '../config';
import { openData, type SegmentationData } from '../data-folder';
import type { SegmentationDefinition } from '../definition';
import { evaluateSegmentor, summarise } from '../evaluate-segmentor';
import { describeModel } from '../model-classes';

const CHART = {
  file: 'accuracy.png',
  title: 'Validation',
  yLabel: 'mIoU and shares of pixels',
  metrics: ['mIoU', 'mAcc', 'aAcc'],
};

/** Trains a segmentor on a dataset in ADE20K's layout; evaluates on the way and at the end. */
export async function train(definition: SegmentationDefinition, command: TrainCommand): Promise<number> {
  const prepared = await prepareTraining({ ...definition, open: openWeighted }, command);
  const { config, network, team } = prepared;
  const { classes, training, validation, split, weights } = prepared.data;
  const isMeasured = validation !== undefined && config.evaluation.loss;
  return trainNetwork(prepared, {
    loss: lossOf(network, config, { augment: definition.augment, classWeights: weights }),
    images: training.samples.length,
    batches: (sized) => trainingBatches(sized, training, classes.length),
    tensors: ({ images, labels, sizes }: SegmentationBatch<PixelTensor>) => ({ images, labels, sizes }),
    evaluation: validation && ((sized) => evaluationOf(network, sized, { validation, classes: classes.length, team })),
    ...(isMeasured && {
      measured: (sized: SegmentationConfig) => ({
        loss: measuredLossOf(network, weights),
        source: measuredBatches(sized, validation, classes.length),
      }),
    }),
    split,
    chart: CHART,
    model: describeModel(config, classes),
  });
}

/** The data, and how much each class counts. */
async function openWeighted(config: SegmentationConfig): Promise<SegmentationData & Weighted> {
  const data = await openData(config);
  const classes = data.classes.map(({ name }) => name);
  const count = () => countPixels(data.training, codingOf(config, classes.length), config.data.onBroken);
  return { ...data, weights: await classWeights(config.loss.classWeights, { classes, count }) };
}

interface Weighted {
  readonly weights: readonly number[] | undefined;
}

function evaluationOf(
  segmentor: Segmentor,
  config: SegmentationConfig,
  {
    validation,
    classes,
    team,
  }: { readonly validation: SegmentationSplit; readonly classes: number; readonly team: Team },
): NetworkEvaluation {
  const predict = segmentorPredictor(segmentor, config);
  return {
    best: { metric: 'mIoU', mode: 'max' },
    async run({ signal }) {
      const counts = await evaluateSegmentor(predict, config, validation, classes, { signal, team });
      return summarise(counts.metrics());
    },
    close: async () => predict.dispose(),
  };
}
