/** The dataset that a configuration names. */
import { join, relative } from 'node:path';
import { requiredValidationSet, validationSet } from '@pyramidal/config';
import { type ImageClass, type ImageFolder, type ImageSplit, openImageFolder, partOfSplit, requireSplit } from '@pyramidal/imagenet'; // prettier-ignore
import type { SplitRecord } from '@pyramidal/training';
import type { ClassificationConfig } from './config';

/** What a training reads. */
export interface ClassificationData {
  readonly classes: readonly ImageClass[];
  readonly training: ImageSplit;
  /** Undefined where nothing is measured. */
  readonly validation: ImageSplit | undefined;
  /** How the training images were split, where they were. */
  readonly split: SplitRecord | undefined;
  /** What people should know before the first step, one line each. */
  readonly notes: readonly string[];
}

/** What is measured on. */
export interface MeasuredImages extends Pick<ClassificationData, 'classes' | 'notes'> {
  readonly validation: ImageSplit;
  /** Names of the images, where they are a share of the training set. */
  readonly heldOut: readonly string[] | undefined;
}

/** The images to learn from and to measure on. @throws Error in one line for what a training would stumble over. */
export async function openData({ data }: ClassificationConfig): Promise<ClassificationData> {
  const { own, held } = validationSet(data.val);
  const folder = await openFolder(data, own === undefined ? [data.train] : [data.train, own]);
  const { classes, notes } = folder;
  const whole = requireSplit(folder, data.train);
  if (held === undefined) {
    const validation = own === undefined ? undefined : requireSplit(folder, own);
    return { classes, training: whole, validation, split: undefined, notes };
  }
  const training = partOfSplit(folder, whole, { ...held, take: 'training' });
  const validation = partOfSplit(folder, whole, { ...held, take: 'validation' });
  const split = { ...held, training: training.samples.length, validation: namesIn(folder, whole, validation) };
  return { classes, training, validation, split, notes };
}

/** The images to evaluate on. @throws UsageError where the configuration names none. */
export async function openValidation({ data }: ClassificationConfig): Promise<MeasuredImages> {
  const { own: name = data.train, held } = requiredValidationSet(data.val);
  const folder = await openFolder(data, [name]);
  const { classes, notes } = folder;
  const split = requireSplit(folder, name);
  if (held === undefined) return { classes, validation: split, notes, heldOut: undefined };
  const validation = partOfSplit(folder, split, { ...held, take: 'validation' });
  return { classes, validation, notes, heldOut: namesIn(folder, split, validation) };
}

/** The names of a part's images in the folder of the whole split. */
const namesIn = ({ root }: ImageFolder, { name }: ImageSplit, { samples }: ImageSplit): string[] =>
  samples.map(({ file }) => relative(join(root, name), file));

/** The classes alone: those of the validation images, else of the training images. */
export async function openClasses({
  data,
}: ClassificationConfig): Promise<{ readonly classes: readonly ImageClass[] }> {
  return openFolder(data, [validationSet(data.val).own ?? data.train]);
}

function openFolder(
  { root, classIndex }: ClassificationConfig['data'],
  splits: readonly string[],
): Promise<ImageFolder> {
  return openImageFolder(root, { splits, ...(classIndex === undefined ? {} : { classIndex }) });
}
