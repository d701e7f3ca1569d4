/** The classes of a detector as checkpoints tell them, and back. */
import type { DetectionClass } from '@pyramidal/coco';
import { UsageError } from '@pyramidal/config';
import { IMAGENET_NORMALISATION } from '@pyramidal/images';
import { PALETTE } from '@pyramidal/pictures';
import type { ModelClass, ModelDescription } from '@pyramidal/training';
import type { DetectionConfig } from './config';

/** What checkpoints call the task. */
export const TASK = 'detection';

/** What a checkpoint tells of a detector. */
export const describeModel = ({ input }: DetectionConfig, classes: readonly DetectionClass[]): ModelDescription => ({
  task: TASK,
  classes: modelClasses(classes),
  input,
  normalisation: IMAGENET_NORMALISATION,
});

export const modelClasses = (classes: readonly DetectionClass[]): ModelClass[] =>
  classes.map(({ categoryId, name }, label) => ({ id: categoryId, name, colour: PALETTE[label % PALETTE.length]! }));

/** @throws UsageError for a class whose id is not a category's. */
export const detectionClasses = (classes: readonly ModelClass[]): DetectionClass[] =>
  classes.map(({ id, name }, label) => {
    if (typeof id === 'number') return { categoryId: id, name };
    throw new UsageError(
      `the checkpoint's class ${label}: expected the number of a category as its id, received '${id}'`,
    );
  });
