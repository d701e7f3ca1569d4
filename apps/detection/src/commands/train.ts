/** `pyramidal-detect train`. */
import { openConfig, type TrainCommand, trainNetwork } from '@pyramidal/task';
import { openRuntime } from '@pyramidal/runtime';
import { startFromFile } from '@pyramidal/training';
import { compiles, lossOf, trainingBatches } from '../assemble';
import type { DetectionDefinition } from '../definition';
import { openTraining, openValidation, requireSameClasses, surveyTraining } from '../data';
import { evaluateDetector, summarise } from '../evaluate-detector';
import { ImageDetector } from '../image-detector';

const CHART = { file: 'precision.png', title: 'Validation', yLabel: 'average precision' };

const METRICS = { boxes: ['boxAP', 'boxAP50'], masks: ['maskAP', 'maskAP50'] } as const;

/** Trains a detector on a COCO-format dataset; evaluates on the way and at the end. */
export async function train(
  { schema, detectors, assemble, augment }: DetectionDefinition,
  command: TrainCommand,
): Promise<number> {
  const { config, text } = openConfig(schema, command);
  const [dataset, validation] = [await openTraining(config), await openValidation(config)];
  requireSameClasses(dataset, validation);
  const remarks = surveyTraining(dataset, config, detectors);
  for (const note of new Set([...dataset.notes, ...validation.notes, ...remarks])) console.error(note);
  const runtime = await openRuntime(config.runtime);
  console.error(`${runtime.engine}: ${runtime.reason}`);

  const detector = assemble(config, dataset.classes.length);
  detector.initialize(config.train.seed);
  if (config.model.weights !== undefined) startFromFile(config.model.weights, detector);

  const training = trainingBatches(config, dataset.samples, detector);
  const evaluated = new ImageDetector(detector, config, validation.samples);
  try {
    return await trainNetwork({
      ...{ command, text, runtime },
      config: { ...config, runtime: { ...config.runtime, compile: compiles(config) } },
      module: detector,
      loss: lossOf(detector, config, augment),
      source: training,
      tensors: ({ tensors }) => ({ ...tensors }),
      evaluation: {
        best: { metric: 'boxAP', mode: 'max' },
        run: async ({ signal }) => summarise(await evaluateDetector(evaluated, validation, { signal })),
      },
      chart: { ...CHART, metrics: [...METRICS.boxes, ...(detector.predictsMasks ? METRICS.masks : [])] },
    });
  } finally {
    await training.close();
    await evaluated.close();
    detector.dispose();
  }
}
