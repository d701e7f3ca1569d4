/** The data set that a configuration names. */
import {
  openSegmentationFolder,
  partOfSplit,
  type SegmentationClass,
  type SegmentationFolder,
  type SegmentationSplit,
  surveyLabels,
} from '@pyramidal/ade20k';
import type { HeldShare } from '@pyramidal/config';
import { heldShare, ownSet, requireValidation } from '@pyramidal/task';
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

/** The images to learn from and to measure on, their labels looked at. @throws Error in one line for what a training would stumble over. */
export async function openData(config: SegmentationConfig): Promise<SegmentationData> {
  const { data } = config;
  const own = ownSet(data.val);
  const folder = await openFolder(data, own === undefined ? [data.train] : [data.train, own]);
  const whole = splitOf(folder, data.train);
  const held = heldShare(data.val);
  const training = held === undefined ? whole : partOfSplit(whole, { ...held, take: 'training' });
  const heldOut = held && heldOutOf(whole, held);
  const validation = heldOut ?? (own === undefined ? undefined : splitOf(folder, own));
  const names = heldOut?.samples.map(({ name }) => name);
  const { orientation, onBroken } = data;
  const coding = codingOf(config, folder.classes.length);
  const notes = await surveyLabels(folder, training, { coding, orientation, onBroken });
  if (validation !== undefined) notes.push(...(await surveyValidation(folder, config, validation)));
  return {
    classes: folder.classes,
    training,
    validation,
    split: held && { ...held, training: training.samples.length, validation: names! },
    notes: [...new Set(notes)],
  };
}

/** The images to evaluate on, their labels looked at. @throws UsageError where the configuration names none. */
export async function openValidation(
  config: SegmentationConfig,
): Promise<Pick<SegmentationData, 'classes' | 'notes'> & { readonly validation: SegmentationSplit }> {
  const { data } = config;
  requireValidation(data.val);
  const name = ownSet(data.val) ?? data.train;
  const folder = await openFolder(data, [name]);
  const split = splitOf(folder, name);
  const held = heldShare(data.val);
  const validation = held === undefined ? split : heldOutOf(split, held);
  return { classes: folder.classes, validation, notes: await surveyValidation(folder, config, validation) };
}

const heldOutOf = (split: SegmentationSplit, held: HeldShare): SegmentationSplit => ({
  ...partOfSplit(split, { ...held, take: 'validation' }),
  name: 'held out',
});

/** What evaluation counts has to be sound. */
function surveyValidation(
  folder: SegmentationFolder,
  config: SegmentationConfig,
  validation: SegmentationSplit,
): Promise<string[]> {
  const coding = codingOf(config, folder.classes.length);
  return surveyLabels(folder, validation, { coding, orientation: config.data.orientation, onBroken: 'fail' });
}

function openFolder(
  { root, images, annotations, classList, colours }: SegmentationConfig['data'],
  splits: readonly string[],
): Promise<SegmentationFolder> {
  return openSegmentationFolder(root, { splits, images, annotations, classList, colours });
}

/** A split that was opened. */
const splitOf = (folder: SegmentationFolder, name: string): SegmentationSplit => folder.splits.get(name)!;
