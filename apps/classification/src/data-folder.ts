/** The dataset that a configuration names. */
import { type ImageFolder, openImageFolder } from '@pyramidal/imagenet';
import type { ClassificationConfig } from './config';

/** The folder of a configuration, with these of its splits. */
export function openData({ data }: ClassificationConfig, splits: readonly string[]): Promise<ImageFolder> {
  const { root, classIndex } = data;
  return openImageFolder(root, { splits, ...(classIndex === undefined ? {} : { classIndex }) });
}
