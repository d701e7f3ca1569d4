/** Training images as the network sees them, under the colours of their labels, for people to look at. */
import { basename, join } from 'node:path';
import { previewTraining, type SegmentationClass, type SegmentationSplit } from '@pyramidal/ade20k';
import { makeFolder, writeFileAtomically } from '@pyramidal/files';
import { encodeImage, IMAGENET_NORMALISATION, restoreImage } from '@pyramidal/images';
import { drawableClasses } from '@pyramidal/pictures';
import { codingOf } from './assemble';
import { trainingTransform } from './batches';
import type { SegmentationConfig } from './config';
import { drawMap } from './draw-map';

const PICTURES = 16;

/** Draws evenly spaced training images into a folder. */
export async function drawAugmented(
  { training, classes }: { readonly training: SegmentationSplit; readonly classes: readonly SegmentationClass[] },
  config: SegmentationConfig,
  folder: string,
): Promise<void> {
  makeFolder(folder);
  const size = { width: config.input.crop, height: config.input.crop };
  const parts = {
    samples: training.samples,
    coding: codingOf(config, classes.length),
    transform: trainingTransform(config),
  };
  const drawable = await drawableClasses(classes, console.error);
  let count = 0;
  for await (const { name, pixels, labels } of previewTraining(parts, { count: PICTURES, seed: config.train.seed })) {
    const picture = restoreImage(pixels, size, IMAGENET_NORMALISATION);
    const drawn = await drawMap(picture, { map: labels, ...size }, drawable);
    const file = `${String(count++).padStart(2, '0')}-${basename(name)}.jpg`;
    writeFileAtomically(join(folder, file), await encodeImage(drawn, 'jpeg'));
  }
  console.log(`${count} augmented images in ${folder}`);
}
