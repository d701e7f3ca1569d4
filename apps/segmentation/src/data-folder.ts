/** The data set that a configuration names. */
import { join } from 'node:path';
import {
  openSegmentationFolder,
  partOfSplit,
  type SegmentationClass,
  type SegmentationFolder,
  type SegmentationSplit,
  surveyLabels,
} from '@pyramidal/ade20k';
import { type HeldShare, requiredValidationSet, validationSet } from '@pyramidal/config';
import { requirePlaces } from '@pyramidal/loading';
import type { SplitRecord } from '@pyramidal/training';
import { codingOf } from './assemble';
import type { SegmentationConfig } from './config';

/** What a training reads. */
export interface SegmentationData {
  readonly classes: readonly SegmentationClass[];
  readonly training: SegmentationSplit;
  /** Undefined where nothing is measured. */
  readonly validation: SegmentationSplit | undefined;
  /** How the training images were split, where they were. */
  readonly split: SplitRecord | undefined;
  /** What people should know before the first step, one line each. */
  readonly notes: readonly string[];
}

/** What is measured on. */
export interface MeasuredImages extends Pick<SegmentationData, 'classes' | 'notes'> {
  readonly validation: SegmentationSplit;
  /** Names of the images, where they are a share of the training set. */
  readonly heldOut: readonly string[] | undefined;
}

/**
 * The images to learn from and to measure on, their labels looked at.
 * @param inValidation whether an image or a label to measure on that is broken ends the look at them.
 * @throws Error in one line for what a training would stumble over.
 */
export async function openData(
  config: SegmentationConfig,
  inValidation: 'fail' | 'skip' = 'fail',
): Promise<SegmentationData> {
  const { data } = config;
  const { own, held } = validationSet(data.val);
  const folder = await openFolder(data, own === undefined ? [data.train] : [data.train, own]);
  const whole = splitOf(folder, data.train);
  const training = held === undefined ? whole : partOfSplit(whole, { ...held, take: 'training' });
  const heldOut = held && heldOutOf(whole, held);
  const validation = heldOut ?? (own === undefined ? undefined : splitOf(folder, own));
  const { orientation, maxPixels, onBroken } = data;
  const coding = codingOf(config, folder.classes.length);
  const notes = await surveyLabels(folder, training, { coding, orientation, maxPixels, onBroken });
  if (validation !== undefined) notes.push(...(await surveyValidation(folder, config, validation, inValidation)));
  return {
    classes: folder.classes,
    training,
    validation,
    split: held && heldOut && { ...held, training: training.samples.length, validation: namesOf(heldOut) },
    notes: [...new Set(notes)],
  };
}

/** The images to evaluate on, their labels looked at. @throws UsageError where the configuration names none. */
export async function openValidation(config: SegmentationConfig): Promise<MeasuredImages> {
  const { data } = config;
  const { own: name = data.train, held } = requiredValidationSet(data.val);
  const folder = await openFolder(data, [name]);
  const split = splitOf(folder, name);
  const validation = held === undefined ? split : heldOutOf(split, held);
  const notes = await surveyValidation(folder, config, validation);
  return { classes: folder.classes, validation, notes, heldOut: held && namesOf(validation) };
}

const namesOf = ({ samples }: SegmentationSplit): string[] => samples.map(({ name }) => name);

const heldOutOf = (split: SegmentationSplit, held: HeldShare): SegmentationSplit => ({
  ...partOfSplit(split, { ...held, take: 'validation' }),
  name: 'held out',
});

/** What evaluation counts has to be sound. */
function surveyValidation(
  folder: SegmentationFolder,
  config: SegmentationConfig,
  validation: SegmentationSplit,
  onBroken: 'fail' | 'skip' = 'fail',
): Promise<string[]> {
  const coding = codingOf(config, folder.classes.length);
  const { orientation, maxPixels } = config.data;
  return surveyLabels(folder, validation, { coding, orientation, maxPixels, onBroken });
}

function openFolder(
  { root, images, annotations, classList, colours }: SegmentationConfig['data'],
  splits: readonly string[],
): Promise<SegmentationFolder> {
  const places = splits.flatMap((split) => [
    { keys: 'data.images with data.train or data.val', path: join(images, split) },
    { keys: 'data.annotations with data.train or data.val', path: join(annotations, split) },
  ]);
  requirePlaces(root, places);
  return openSegmentationFolder(root, { splits, images, annotations, classList, colours });
}

/** A split that was opened. */
const splitOf = (folder: SegmentationFolder, name: string): SegmentationSplit => folder.splits.get(name)!;
