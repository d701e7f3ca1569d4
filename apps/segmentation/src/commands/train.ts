/** `pyramidal-segment train`. */
import {
  classWeights,
  freezeStages,
  openConfig,
  type TrainCommand,
  trainNetwork,
  withBatchSize,
} from '@pyramidal/task';
import { countPixels, type SegmentationBatch } from '@pyramidal/ade20k';
import { openRuntime } from '@pyramidal/runtime';
import { startFromFile } from '@pyramidal/training';
import { codingOf, lossOf, measuredBatches, measuredLossOf, segmentorPredictor, trainingBatches } from '../assemble';
import type { SegmentationDefinition } from '../definition';
import { openData } from '../data-folder';
import { evaluateSegmentor, summarise } from '../evaluate-segmentor';
import { describeModel } from '../model-classes';

const CHART = {
  file: 'accuracy.png',
  title: 'Validation',
  yLabel: 'mIoU and shares of pixels',
  metrics: ['mIoU', 'mAcc', 'aAcc'],
};

/** Trains a segmentor on a dataset in ADE20K's layout; evaluates on the way and at the end. */
export async function train(
  { schema, assemble, augment }: SegmentationDefinition,
  command: TrainCommand,
): Promise<number> {
  const opened = openConfig(schema, command);
  const { classes: names, split, notes, ...images } = await openData(opened.config);
  for (const note of notes) console.error(note);
  const classes = names.length;
  const weights = await classWeights(opened.config.loss.classWeights, {
    classes: names.map(({ name }) => name),
    count: () => countPixels(images.training, codingOf(opened.config, classes), opened.config.data.onBroken),
  });
  const runtime = await openRuntime(opened.config.runtime);
  console.error(`${runtime.engine}: ${runtime.reason}`);

  const segmentor = assemble(opened.config, classes);
  segmentor.initialize(opened.config.train.seed);
  const { model } = opened.config;
  if (model.weights !== undefined) startFromFile(model.weights, segmentor);
  freezeStages(segmentor, model);

  const learning = {
    loss: lossOf(segmentor, opened.config, { augment, classWeights: weights }),
    tensors: ({ images, labels }: SegmentationBatch) => ({ images, labels }),
  };
  const { config, text } = await withBatchSize(opened, {
    ...{ schema, command, runtime, module: segmentor, ...learning, compile: opened.config.runtime.compile },
    images: images.training.samples.length,
    batches: (sized) => trainingBatches(sized, images.training, classes),
  });
  const training = trainingBatches(config, images.training, classes);
  const { validation } = images;
  const predict = segmentorPredictor(segmentor, config);
  const source = validation && config.evaluation.loss ? measuredBatches(config, validation, classes) : undefined;
  try {
    return await trainNetwork({
      ...{ command, config, text, runtime },
      module: segmentor,
      ...learning,
      source: training,
      evaluation: validation && {
        best: { metric: 'mIoU', mode: 'max' },
        run: async ({ signal }) => summarise(await evaluateSegmentor(predict, config, validation, classes, { signal })),
      },
      measured: source && { loss: measuredLossOf(segmentor, weights), source },
      split,
      chart: CHART,
      model: describeModel(config, names),
    });
  } finally {
    await Promise.all([training.close(), source?.close()]);
    predict.dispose();
    segmentor.dispose();
  }
}
