import {
  openSegmentationFolder,
  type SegmentationFolder,
  type SegmentationFolderOptions,
  type SegmentationSplit,
} from '@pyramidal/ade20k';
import type { SegmentationConfig } from './config';

/** The dataset that a configuration names, with these of its splits. */
export function openData({ data }: SegmentationConfig, splits: readonly string[]): Promise<SegmentationFolder> {
  const { root, images, annotations, classList } = data;
  const options: SegmentationFolderOptions = { splits, images, annotations };
  return openSegmentationFolder(root, classList === undefined ? options : { ...options, classList });
}

/** A split that was opened. */
export const splitOf = (folder: SegmentationFolder, name: string): SegmentationSplit => folder.splits.get(name)!;
