/** `pyramidal-detect train`. */
import { freezeStages, openConfig, type TrainCommand, trainNetwork } from '@pyramidal/task';
import { openRuntime } from '@pyramidal/runtime';
import { startFromFile } from '@pyramidal/training';
import { compiles, lossOf, measuredBatches, measuredLossOf, trainingBatches } from '../assemble';
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
  const { config, text } = openConfig(schema, command);
  const { training: dataset, validation, split, notes } = await openData(config, detectors);
  for (const note of notes) console.error(note);
  const runtime = await openRuntime(config.runtime);
  console.error(`${runtime.engine}: ${runtime.reason}`);

  const detector = assemble(config, dataset.classes.length);
  detector.initialize(config.train.seed);
  if (config.model.weights !== undefined) startFromFile(config.model.weights, detector);
  freezeStages(detector, config.model);

  const training = trainingBatches(config, dataset.samples, detector);
  const evaluated = validation && new ImageDetector(detector, config, validation.samples);
  const source =
    validation && config.evaluation.loss ? measuredBatches(config, validation.samples, detector) : undefined;
  try {
    return await trainNetwork({
      ...{ command, text, runtime },
      config: { ...config, runtime: { ...config.runtime, compile: compiles(config) } },
      module: detector,
      loss: lossOf(detector, config, augment),
      source: training,
      tensors: ({ tensors }) => ({ ...tensors }),
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
