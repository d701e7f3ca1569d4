/** `pyramidal-detect train`. */
import { freezeStages, openConfig, type TrainCommand, trainNetwork, withBatchSize } from '@pyramidal/task';
import type { DetectionBatch } from '@pyramidal/coco';
import { openRuntime } from '@pyramidal/runtime';
import { startFromFile } from '@pyramidal/training';
import { compiles, type DetectionTensors, lossOf, measuredBatches, measuredLossOf, trainingBatches } from '../assemble';
import type { DetectionDefinition } from '../definition';
import { openData } from '../data';
import { evaluateDetector, summarise } from '../evaluate-detector';
import { ImageDetector } from '../image-detector';
import { describeModel } from '../model-classes';

const CHART = { file: 'precision.png', title: 'Validation', yLabel: 'average precision' };

const METRICS = { boxes: ['boxAP', 'boxAP50'], masks: ['maskAP', 'maskAP50'] } as const;

/** Trains a detector on a COCO-format dataset; evaluates on the way and at the end. */
export async function train(
  { schema, detectors, assemble, augment }: DetectionDefinition,
  command: TrainCommand,
): Promise<number> {
  const opened = openConfig(schema, command);
  const { training: dataset, validation, split, notes } = await openData(opened.config, detectors);
  for (const note of notes) console.error(note);
  const runtime = await openRuntime(opened.config.runtime);
  console.error(`${runtime.engine}: ${runtime.reason}`);

  const detector = assemble(opened.config, dataset.classes.length);
  detector.initialize(opened.config.train.seed);
  const { model } = opened.config;
  if (model.weights !== undefined) startFromFile(model.weights, detector);
  freezeStages(detector, model);

  const learning = {
    loss: lossOf(detector, opened.config, augment),
    tensors: ({ tensors }: DetectionBatch): DetectionTensors => ({ ...tensors }),
  };
  const compile = compiles(opened.config);
  const { config, text } = await withBatchSize(opened, {
    ...{ schema, command, runtime, module: detector, ...learning, compile },
    images: dataset.samples.length,
    batches: (sized) => trainingBatches(sized, dataset.samples, detector),
  });
  const training = trainingBatches(config, dataset.samples, detector);
  const evaluated = validation && new ImageDetector(detector, config, validation.samples);
  const source =
    validation && config.evaluation.loss ? measuredBatches(config, validation.samples, detector) : undefined;
  try {
    return await trainNetwork({
      ...{ command, text, runtime },
      config: { ...config, runtime: { ...config.runtime, compile } },
      module: detector,
      ...learning,
      source: training,
      evaluation: evaluated && {
        best: { metric: 'boxAP', mode: 'max' },
        run: async ({ signal }) => summarise(await evaluateDetector(evaluated, validation, { signal })),
      },
      measured: source && { loss: measuredLossOf(detector), source },
      split,
      model: describeModel(config, dataset.classes),
      chart: { ...CHART, metrics: [...METRICS.boxes, ...(detector.predictsMasks ? METRICS.masks : [])] },
    });
  } finally {
    await Promise.all([training.close(), evaluated?.close(), source?.close()]);
    detector.dispose();
  }
}
