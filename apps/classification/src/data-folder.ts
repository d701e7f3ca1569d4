/** The dataset that a configuration names. */
import { join, relative } from 'node:path';
import { type ImageClass, type ImageFolder, type ImageSplit, openImageFolder, partOfSplit, requireSplit } from '@pyramidal/imagenet'; // prettier-ignore
import { heldShare, ownSet, requireValidation } from '@pyramidal/task';
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

/** The images to learn from and to measure on. @throws Error in one line for what a training would stumble over. */
export async function openData({ data }: ClassificationConfig): Promise<ClassificationData> {
  const own = ownSet(data.val);
  const folder = await openFolder(data, own === undefined ? [data.train] : [data.train, own]);
  const { classes, notes } = folder;
  const whole = requireSplit(folder, data.train);
  const held = heldShare(data.val);
  if (held === undefined) {
    const validation = own === undefined ? undefined : requireSplit(folder, own);
    return { classes, training: whole, validation, split: undefined, notes };
  }
  const training = partOfSplit(folder, whole, { ...held, take: 'training' });
  const validation = partOfSplit(folder, whole, { ...held, take: 'validation' });
  const names = validation.samples.map(({ file }) => relative(join(folder.root, whole.name), file));
  const split = { ...held, training: training.samples.length, validation: names };
  return { classes, training, validation, split, notes };
}

/** The images to evaluate on. @throws UsageError where the configuration names none. */
export async function openValidation(
  config: ClassificationConfig,
): Promise<Pick<ClassificationData, 'classes' | 'notes'> & { readonly validation: ImageSplit }> {
  const { data } = config;
  requireValidation(data.val);
  const held = heldShare(data.val);
  const name = ownSet(data.val) ?? data.train;
  const folder = await openFolder(data, [name]);
  const split = requireSplit(folder, name);
  const validation = held === undefined ? split : partOfSplit(folder, split, { ...held, take: 'validation' });
  return { classes: folder.classes, validation, notes: folder.notes };
}

/** The classes alone: those of the validation images, else of the training images. */
export async function openClasses({
  data,
}: ClassificationConfig): Promise<{ readonly classes: readonly ImageClass[] }> {
  return openFolder(data, [ownSet(data.val) ?? data.train]);
}

function openFolder(
  { root, classIndex }: ClassificationConfig['data'],
  splits: readonly string[],
): Promise<ImageFolder> {
  return openImageFolder(root, { splits, ...(classIndex === undefined ? {} : { classIndex }) });
}
