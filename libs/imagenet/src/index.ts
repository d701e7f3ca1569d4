/** Reads ImageFolder datasets. */
export { readClassIndex, type ImageClass } from './class-index';
export { parseRandAugment } from './augment/rand-augment';
export { openImageFolder, partOfSplit, requireSplit } from './image-folder';
export type { ImageFolder, ImageFolderOptions, ImageSample, ImageSplit } from './image-folder';
export { openImageBatches, type ImageBatch, type ImageBatchesOptions } from './batches';
export { prepareImage, type ImageTransform, type TrainingTransform, type ValidationTransform } from './transform';
