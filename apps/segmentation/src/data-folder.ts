/** The data set that a configuration names. */
import {
  openSegmentationFolder,
  type SegmentationFolder,
  type SegmentationFolderOptions,
  type SegmentationSplit,
  surveyLabels,
} from '@pyramidal/ade20k';
import type { SegmentationConfig } from './config';

/** The dataset that a configuration names, with these of its splits. */
export function openData({ data }: SegmentationConfig, splits: readonly string[]): Promise<SegmentationFolder> {
  const { root, images, annotations, classList } = data;
  const options: SegmentationFolderOptions = { splits, images, annotations };
  return openSegmentationFolder(root, classList === undefined ? options : { ...options, classList });
}

/**
 * Looks at the labels of splits before a run.
 * @returns notes for people, one line each.
 */
export async function surveyData(
  folder: SegmentationFolder,
  { data }: SegmentationConfig,
  splits: readonly { readonly name: string; readonly onBroken: 'fail' | 'skip' }[],
): Promise<string[]> {
  const { orientation, reduceZeroLabel } = data;
  const coding = { classes: folder.classes.length, reduceZeroLabel };
  const notes: string[] = [];
  for (const { name, onBroken } of splits) {
    notes.push(...(await surveyLabels(folder, splitOf(folder, name), { coding, orientation, onBroken })));
  }
  return notes;
}

/** A split that was opened. */
export const splitOf = (folder: SegmentationFolder, name: string): SegmentationSplit => folder.splits.get(name)!;
