/** `pyramidal-segment train`. */
import { openConfig, type TrainCommand, trainNetwork } from '@pyramidal/task';
import { openRuntime } from '@pyramidal/runtime';
import { startFromFile } from '@pyramidal/training';
import { lossOf, segmentorPredictor, trainingBatches } from '../assemble';
import type { SegmentationDefinition } from '../definition';
import { openData, splitOf, surveyData } from '../data-folder';
import { evaluateSegmentor, summarise } from '../evaluate-segmentor';

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
  const folder = await openData(config, [config.data.train, config.data.val]);
  const { train: learned, val, onBroken } = config.data;
  const splits = [
    { name: learned, onBroken },
    { name: val, onBroken: 'fail' },
  ] as const;
  for (const note of await surveyData(folder, config, splits)) console.error(note);
  const classes = folder.classes.length;
  const runtime = await openRuntime(config.runtime);
  console.error(`${runtime.engine}: ${runtime.reason}`);

  const segmentor = assemble(config, classes);
  segmentor.initialize(config.train.seed);
  if (config.model.weights !== undefined) startFromFile(config.model.weights, segmentor);

  const training = trainingBatches(config, splitOf(folder, config.data.train), classes);
  const validation = splitOf(folder, config.data.val);
  const predict = segmentorPredictor(segmentor, config);
  try {
    return await trainNetwork({
      ...{ command, config, text, runtime },
      module: segmentor,
      loss: lossOf(segmentor, config, augment),
      source: training,
      tensors: ({ images, labels }) => ({ images, labels }),
      evaluation: {
        best: { metric: 'mIoU', mode: 'max' },
        run: async ({ signal }) => summarise(await evaluateSegmentor(predict, config, validation, classes, { signal })),
      },
      chart: CHART,
    });
  } finally {
    await training.close();
    predict.dispose();
    segmentor.dispose();
  }
}
