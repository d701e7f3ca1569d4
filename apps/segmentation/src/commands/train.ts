/** `pyramidal-segment train`. */
import { classWeights, freezeStages, openConfig, type TrainCommand, trainNetwork } from '@pyramidal/task';
import { countPixels } from '@pyramidal/ade20k';
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
  const { config, text } = openConfig(schema, command);
  const { classes: names, split, notes, ...images } = await openData(config);
  for (const note of notes) console.error(note);
  const classes = names.length;
  const weights = await classWeights(config.loss.classWeights, {
    classes: names.map(({ name }) => name),
    count: () => countPixels(images.training, codingOf(config, classes), config.data.onBroken),
  });
  const runtime = await openRuntime(config.runtime);
  console.error(`${runtime.engine}: ${runtime.reason}`);

  const segmentor = assemble(config, classes);
  segmentor.initialize(config.train.seed);
  if (config.model.weights !== undefined) startFromFile(config.model.weights, segmentor);
  freezeStages(segmentor, config.model);

  const training = trainingBatches(config, images.training, classes);
  const { validation } = images;
  const predict = segmentorPredictor(segmentor, config);
  const source = validation && config.evaluation.loss ? measuredBatches(config, validation, classes) : undefined;
  try {
    return await trainNetwork({
      ...{ command, config, text, runtime },
      module: segmentor,
      loss: lossOf(segmentor, config, { augment, classWeights: weights }),
      source: training,
      tensors: ({ images, labels }) => ({ images, labels }),
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
