/** The data set that a configuration names. */
import {
  openSegmentationFolder,
  type SegmentationFolder,
  type SegmentationSplit,
  surveyLabels,
} from '@pyramidal/ade20k';
import { codingOf } from './assemble';
import type { SegmentationConfig } from './config';

/** The dataset that a configuration names, with these of its splits. */
export function openData({ data }: SegmentationConfig, splits: readonly string[]): Promise<SegmentationFolder> {
  const { root, images, annotations, classList, colours } = data;
  return openSegmentationFolder(root, { splits, images, annotations, classList, colours });
}

/**
 * Looks at the labels of splits before a run.
 * @returns notes for people, one line each.
 */
export async function surveyData(
  folder: SegmentationFolder,
  config: SegmentationConfig,
  splits: readonly { readonly name: string; readonly onBroken: 'fail' | 'skip' }[],
): Promise<string[]> {
  const { orientation } = config.data;
  const coding = codingOf(config, folder.classes.length);
  const notes: string[] = [];
  for (const { name, onBroken } of splits) {
    notes.push(...(await surveyLabels(folder, splitOf(folder, name), { coding, orientation, onBroken })));
  }
  return notes;
}

/** A split that was opened. */
export const splitOf = (folder: SegmentationFolder, name: string): SegmentationSplit => folder.splits.get(name)!;
