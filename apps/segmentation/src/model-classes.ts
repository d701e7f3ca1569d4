/** The classes of a segmentor as checkpoints tell them, and back. */
import type { SegmentationClass } from '@pyramidal/ade20k';
import { IMAGENET_NORMALISATION } from '@pyramidal/images';
import type { ModelClass, ModelDescription } from '@pyramidal/training';
import type { SegmentationConfig } from './config';

/** What checkpoints call the task. */
export const TASK = 'segmentation';

/** What a checkpoint tells of a segmentor. */
export const describeModel = (
  { input }: SegmentationConfig,
  classes: readonly SegmentationClass[],
): ModelDescription => ({
  task: TASK,
  classes: modelClasses(classes),
  input,
  normalisation: IMAGENET_NORMALISATION,
});

/** A class has no other id than its label. */
export const modelClasses = (classes: readonly SegmentationClass[]): ModelClass[] =>
  classes.map(({ name, colour }, label) => ({ id: label, name, colour }));

export const segmentationClasses = (classes: readonly ModelClass[]): SegmentationClass[] =>
  classes.map(({ name, colour }) => ({ name, colour }));
