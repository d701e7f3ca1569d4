/** `pyramidal-detect train`. */
import type { Detector } from '@pyramidal/detector';
import type { DetectionBatch } from '@pyramidal/coco';
import type { PixelTensor } from '@pyramidal/images';
import { type NetworkEvaluation, prepareTraining, type Team, type TrainCommand, trainNetwork } from '@pyramidal/task';
import { compiles, type DetectionTensors, lossOf, measuredLossOf } from '../assemble';
import { measuredBatches, trainingBatches } from '../batches';
import type { DetectionConfig } from '../config';
import { type MeasuredSet, openData } from '../data';
import type { DetectionDefinition } from '../definition';
import { evaluateDetector, summarise } from '../evaluate-detector';
import { ImageDetector } from '../image-detector';
import { describeModel } from '../model-classes';

const CHART = { file: 'precision.png', title: 'Validation', yLabel: 'average precision' };

const METRICS = { boxes: ['boxAP', 'boxAP50'], masks: ['maskAP', 'maskAP50'] } as const;

/** Trains a detector on a COCO-format dataset; evaluates on the way and at the end. */
export async function train(definition: DetectionDefinition, command: TrainCommand): Promise<number> {
  const open = (config: DetectionConfig) => openData(config, definition.detectors);
  const prepared = await prepareTraining({ ...definition, open }, command);
  const { config, network, team } = prepared;
  const { classes, training, validation, split } = prepared.data;
  const isMeasured = validation !== undefined && config.evaluation.loss;
  return trainNetwork(prepared, {
    loss: lossOf(network, config, definition.augment),
    images: training.samples.length,
    batches: (sized) => trainingBatches(sized, training.samples, network),
    tensors: ({ tensors }: DetectionBatch<PixelTensor>): DetectionTensors<PixelTensor> => ({ ...tensors }),
    compile: compiles(config),
    evaluation: validation && ((sized) => evaluationOf(network, sized, { validation, team })),
    ...(isMeasured && {
      measured: (sized: DetectionConfig) => ({
        loss: measuredLossOf(network),
        source: measuredBatches(sized, validation.samples, network),
      }),
    }),
    split,
    chart: { ...CHART, metrics: [...METRICS.boxes, ...(network.predictsMasks ? METRICS.masks : [])] },
    model: describeModel(config, classes),
  });
}

function evaluationOf(
  detector: Detector,
  config: DetectionConfig,
  { validation, team }: { readonly validation: MeasuredSet; readonly team: Team },
): NetworkEvaluation {
  const images = new ImageDetector(detector, config, validation.samples);
  return {
    best: { metric: 'boxAP', mode: 'max' },
    run: async ({ signal }) => summarise(await evaluateDetector(images, validation, { signal, team })),
    close: () => images.close(),
  };
}
