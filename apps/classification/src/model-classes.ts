/** The classes of a classifier as checkpoints tell them, and back. */
import type { ImageClass } from '@pyramidal/imagenet';
import { IMAGENET_NORMALISATION } from '@pyramidal/images';
import { PALETTE } from '@pyramidal/pictures';
import type { ModelClass, ModelDescription } from '@pyramidal/training';
import type { ClassificationConfig } from './config';

/** What checkpoints call the task. */
export const TASK = 'classification';

/** What a checkpoint tells of a classifier. */
export const describeModel = ({ input }: ClassificationConfig, classes: readonly ImageClass[]): ModelDescription => ({
  task: TASK,
  classes: modelClasses(classes),
  input,
  normalisation: IMAGENET_NORMALISATION,
});

/** A class goes by the folder of its images, for ImageNet the wnid. */
export const modelClasses = (classes: readonly ImageClass[]): ModelClass[] =>
  classes.map(({ folder, name }, label) => ({ id: folder, name, colour: PALETTE[label % PALETTE.length]! }));

export const imageClasses = (classes: readonly ModelClass[]): ImageClass[] =>
  classes.map(({ id, name }, index) => ({ index, folder: String(id), name }));
