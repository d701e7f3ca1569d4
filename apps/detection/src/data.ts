/** The data sets that a configuration names, and what has to hold between them. */
import { join } from 'node:path';
import {
  type DetectionClass,
  type DetectionDataset,
  type DetectionDatasetOptions,
  openDetectionDataset,
  readDetectionClasses,
  requireSameClasses as requireSame,
} from '@pyramidal/coco';
import type { DetectionConfig } from './config';
import type { DetectorTable } from './detectors';

/** What training needs of a dataset, without the annotations as the file has them. */
export type TrainingSet = Omit<DetectionDataset, 'coco'>;

/** The images to learn from. */
export async function openTraining({ data }: DetectionConfig): Promise<TrainingSet> {
  const { coco: _, ...dataset } = await open(data, data.train, {
    emptyImages: data.emptyImages,
    onBroken: data.onBroken,
  });
  return dataset;
}

/** The images to evaluate on, those without objects too. */
export function openValidation({ data }: DetectionConfig): Promise<DetectionDataset> {
  return open(data, data.val, { evaluated: true });
}

/** The classes alone. */
export function readClasses({ data }: DetectionConfig): Promise<DetectionClass[]> {
  return readDetectionClasses(data.categories ?? join(data.root, data.val.annotations));
}

/** @throws Error naming the first category that has another id or name. */
export function requireSameClasses(train: TrainingSet, val: DetectionDataset): void {
  requireSame({ name: 'data.train', classes: train.classes }, { name: 'data.val', classes: val.classes });
}

/**
 * What is worth knowing of a training set before a detector learns from it: objects that are left out, masks that are not there.
 * @returns remarks for people, one line each.
 * @throws Error if a detector is to learn masks and no object has one.
 */
export function surveyTraining(set: TrainingSet, config: DetectionConfig, detectors: DetectorTable): string[] {
  const { maxObjects } = config.data;
  const crowded = set.samples.filter(({ objects }) => objects.length > maxObjects).length;
  return [
    ...(crowded === 0
      ? []
      : [`${crowded} images have more than ${maxObjects} objects (data.maxObjects); the smallest are left out`]),
    ...checkMasks(set, config, detectors),
  ];
}

function checkMasks({ samples }: TrainingSet, { data, model }: DetectionConfig, detectors: DetectorTable): string[] {
  const { name } = model.detector;
  if (!detectors[name]!.predictsMasks) return [];
  const objects = samples.flatMap((sample) => sample.objects);
  const bare = objects.filter(({ segmentation }) => segmentation === undefined).length;
  if (bare === 0) return [];
  if (bare < objects.length) return [`${bare} of ${objects.length} objects have no mask: only their boxes are learned`];
  const boxDetectors = Object.entries(detectors).flatMap(([other, { predictsMasks }]) => (predictsMasks ? [] : other));
  throw new Error(
    `${join(data.root, data.train.annotations)}: expected masks for ${name}, received ${bare} objects without one; ` +
      `detectors that learn boxes alone: ${boxDetectors.join(', ')}`,
  );
}

async function open(
  { root, limit, orientation }: DetectionConfig['data'],
  { annotations, images }: DetectionConfig['data']['train'],
  options: Pick<DetectionDatasetOptions, 'emptyImages' | 'onBroken' | 'evaluated'>,
): Promise<DetectionDataset> {
  const files = { annotations: join(root, annotations), images: join(root, images) };
  const dataset = await openDetectionDataset({ ...files, ...options, orientation });
  return { ...dataset, samples: dataset.samples.slice(0, limit) };
}
