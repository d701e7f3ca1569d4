/** The data sets that a configuration names, and what has to hold between them. */
import { join, relative } from 'node:path';
import {
  type DetectionClass,
  type DetectionDataset,
  type DetectionDatasetOptions,
  type DetectionSample,
  openDetectionDataset,
  readDetectionClasses,
  repeatFactors,
  requireSameClasses as requireSame,
} from '@pyramidal/coco';
import { requiredValidationSet, validationSet } from '@pyramidal/config';
import { requirePlaces } from '@pyramidal/loading';
import type { SplitRecord } from '@pyramidal/training';
import type { DetectionConfig } from './config';
import type { DetectorTable } from './detectors';

/** What training needs of a dataset, without the annotations as the file has them. */
export type TrainingSet = Omit<DetectionDataset, 'coco'>;

/** What is measured on. */
export interface MeasuredSet extends DetectionDataset {
  /** Names of the images, where they are a share of the training set. */
  readonly heldOut: readonly string[] | undefined;
}

/** What a training reads. */
export interface DetectionData {
  readonly classes: readonly DetectionClass[];
  readonly training: TrainingSet;
  /** Undefined where nothing is measured. */
  readonly validation: MeasuredSet | undefined;
  /** How the training images were split, where they were. */
  readonly split: SplitRecord | undefined;
  /** What people should know before the first step, one line each. */
  readonly notes: readonly string[];
}

/**
 * The images to learn from and to measure on, checked against each other and against what the detector learns.
 * @param inValidation whether an image to measure on that is broken ends the look at headers.
 * @throws Error in one line, whatever of them a training would stumble over.
 */
export async function openData(
  config: DetectionConfig,
  detectors: DetectorTable,
  inValidation: 'fail' | 'skip' = 'fail',
): Promise<DetectionData> {
  const training = await openTraining(config);
  const validation = config.data.val === 'none' ? undefined : await openValidation(config, inValidation);
  if (validation !== undefined) {
    requireSame({ name: 'data.train', classes: training.classes }, { name: 'data.val', classes: validation.classes });
  }
  const remarks = surveyTraining(training, config, detectors);
  const notes = [...training.notes, ...(validation?.notes ?? []), ...remarks];
  const split = recordSplit(config, training, validation);
  return { classes: training.classes, training, validation, split, notes: [...new Set(notes)] };
}

async function openTraining({ data }: DetectionConfig): Promise<TrainingSet> {
  const { emptyImages, onBroken } = data;
  const { held } = validationSet(data.val);
  const part = held && { part: { ...held, take: 'training' as const } };
  const { coco: _, ...dataset } = await open(data, data.train, { emptyImages, onBroken, ...part });
  return dataset;
}

/** The images to evaluate on, those without objects too. @throws UsageError where the configuration names none. */
export async function openValidation(
  { data }: DetectionConfig,
  onBroken: 'fail' | 'skip' = 'fail',
): Promise<MeasuredSet> {
  const { own = data.train, held } = requiredValidationSet(data.val);
  const part = held && { part: { ...held, take: 'validation' as const } };
  const dataset = await open(data, own, { evaluated: true, onBroken, ...part });
  const folder = join(data.root, own.images);
  return { ...dataset, heldOut: held && dataset.samples.map(({ file }) => relative(folder, file)) };
}

function recordSplit(
  { data }: DetectionConfig,
  training: TrainingSet,
  validation: MeasuredSet | undefined,
): SplitRecord | undefined {
  const { held } = validationSet(data.val);
  if (held === undefined || validation?.heldOut === undefined) return undefined;
  return { ...held, training: training.samples.length, validation: validation.heldOut };
}

/** The classes alone. */
export function readClasses({ data }: DetectionConfig): Promise<DetectionClass[]> {
  const { annotations } = validationSet(data.val).own ?? data.train;
  return readDetectionClasses(data.categories ?? join(data.root, annotations));
}

/**
 * What is worth knowing of a training set before a detector learns from it: objects that are left out, masks that are not there.
 * @returns remarks for people, one line each.
 * @throws Error if a detector is to learn masks and no object has one.
 */
function surveyTraining(set: TrainingSet, config: DetectionConfig, detectors: DetectorTable): string[] {
  const { maxObjects } = config.data;
  const crowded = set.samples.filter(({ objects }) => objects.length > maxObjects).length;
  return [
    ...(crowded === 0
      ? []
      : [`${crowded} images have more than ${maxObjects} objects (data.maxObjects); the smallest are left out`]),
    ...checkMasks(set, config, detectors),
    ...describeRepeats(set, config),
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
      `detectors that learn boxes alone: ${boxDetectors.join(', ')} (--set "model.detector={ name: ${boxDetectors[0]} }")`,
  );
}

/** How often images with rare categories are seen, where the configuration asks for it. */
export const factorsOf = (
  { data: { repeatThreshold } }: DetectionConfig,
  samples: readonly DetectionSample[],
): readonly number[] | undefined =>
  repeatThreshold === undefined ? undefined : repeatFactors(samples, repeatThreshold);

/** What repeat factors make of an epoch. */
function describeRepeats({ samples }: TrainingSet, config: DetectionConfig): string[] {
  const factors = factorsOf(config, samples);
  if (factors === undefined) return [];
  const sum = factors.reduce((total, factor) => total + factor, 0);
  const largest = factors.reduce((most, factor) => Math.max(most, factor), 1);
  const repeated = factors.filter((factor) => factor > 1).length;
  return [
    `data.repeatThreshold ${config.data.repeatThreshold}: ${repeated} of ${samples.length} images are seen more than once an epoch, ` +
      `up to ${largest.toFixed(1)} times; an epoch has ${Math.round(sum)}`,
  ];
}

async function open(
  { root, limit, orientation, maxPixels }: DetectionConfig['data'],
  { annotations, images }: DetectionConfig['data']['train'],
  options: Pick<DetectionDatasetOptions, 'emptyImages' | 'onBroken' | 'evaluated' | 'part'>,
): Promise<DetectionDataset> {
  const keys = 'data.train or data.val';
  requirePlaces(root, [annotations, images].map((path) => ({ keys, path }))); // prettier-ignore
  const files = { annotations: join(root, annotations), images: join(root, images) };
  const dataset = await openDetectionDataset({ ...files, ...options, orientation, maxPixels });
  return { ...dataset, samples: dataset.samples.slice(0, limit) };
}
