/** The dataset that a configuration names. */
import { join, relative } from 'node:path';
import { requiredValidationSet, validationSet } from '@pyramidal/config';
import { type ImageClass, type ImageFolder, type ImageSplit, openImageFolder, partOfSplit, requireSplit } from '@pyramidal/imagenet'; // prettier-ignore
import { requirePlaces, surveyPictures } from '@pyramidal/loading';
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
export async function openData(config: ClassificationConfig): Promise<ClassificationData> {
  const opened = await openSplits(config);
  const notes = [...opened.notes, ...(await surveySplit(opened.training, config))];
  if (opened.validation !== undefined) notes.push(...(await surveySplit(opened.validation, config)));
  return { ...opened, notes };
}

async function openSplits({ data }: ClassificationConfig): Promise<ClassificationData> {
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
export async function openValidation(config: ClassificationConfig): Promise<MeasuredImages> {
  const { data } = config;
  const { own: name = data.train, held } = requiredValidationSet(data.val);
  const folder = await openFolder(data, [name]);
  const split = requireSplit(folder, name);
  const validation = held === undefined ? split : partOfSplit(folder, split, { ...held, take: 'validation' });
  const notes = [...folder.notes, ...(await surveySplit(validation, config))];
  return { classes: folder.classes, validation, notes, heldOut: held && namesIn(folder, split, validation) };
}

/** Looks at headers of a split's images before a run. */
async function surveySplit({ name, samples }: ImageSplit, { data }: ClassificationConfig): Promise<string[]> {
  const { orientation, maxPixels, onBroken } = data;
  const notes = await surveyPictures(samples, { orientation, maxPixels, onBroken });
  return notes.map((note) => `${name}: ${note}`);
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
  requirePlaces(root, splits.map((path) => ({ keys: 'data.train or data.val', path }))); // prettier-ignore
  return openImageFolder(root, { splits, ...(classIndex === undefined ? {} : { classIndex }) });
}
