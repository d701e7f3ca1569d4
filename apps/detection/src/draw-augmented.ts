/** Training images as the network sees them, with their boxes and masks, for people to look at. */
import { join } from 'node:path';
import { type DetectionClass, type DetectionSample, type PreparedDetection, previewSamples } from '@pyramidal/coco';
import { makeFolder, writeFileAtomically } from '@pyramidal/files';
import { encodeImage, IMAGENET_NORMALISATION, restoreImage, type Rgb, type RgbImage } from '@pyramidal/images';
import { drawableClasses, drawAnnotations, PALETTE, tintMask } from '@pyramidal/pictures';
import { trainingTransform } from './batches';
import type { DetectionConfig } from './config';

const PICTURES = 16;

/** Cells of a drawn mask along an axis: fine enough to see its edge. */
const MASK_SIDE = 112;

const IGNORED: Rgb = [128, 128, 128];

/** Draws evenly spaced training images into a folder. */
export async function drawAugmented(
  { samples, classes }: { readonly samples: readonly DetectionSample[]; readonly classes: readonly DetectionClass[] },
  config: DetectionConfig,
  folder: string,
): Promise<void> {
  makeFolder(folder);
  const transform = trainingTransform(config, { maskSide: MASK_SIDE });
  const drawable = await drawableClasses(classes, console.error);
  let count = 0;
  for await (const prepared of previewSamples(samples, transform, { count: PICTURES, seed: config.train.seed })) {
    const picture = await drawPrepared(prepared, drawable);
    const name = `${String(count++).padStart(2, '0')}-${prepared.id}.jpg`;
    writeFileAtomically(join(folder, name), await encodeImage(picture, 'jpeg'));
  }
  console.log(`${count} augmented images in ${folder}`);
}

/** A prepared image with its objects; what is ignored is grey. */
export function drawPrepared(
  prepared: PreparedDetection,
  classes: readonly Pick<DetectionClass, 'name'>[],
): Promise<RgbImage> {
  const { pixels, labels, boxes, ignored, hasMask } = prepared;
  const picture = restoreImage(pixels, prepared, IMAGENET_NORMALISATION);
  hasMask.forEach((has, i) => {
    if (has === 1) tintMask(picture, maskOf(prepared, i), colourOf(labels[i]!));
  });
  const crowds = Array.from({ length: ignored.length / 4 }, (_, i) => ({ box: cornersAt(ignored, i), colour: IGNORED, label: 'ignored' })); // prettier-ignore
  const objects = Array.from(labels, (label, i) => ({ box: cornersAt(boxes, i), colour: colourOf(label), label: classes[label]!.name })); // prettier-ignore
  return drawAnnotations(picture, [...crowds, ...objects]);
}

function cornersAt(list: Float32Array, i: number): readonly [x1: number, y1: number, x2: number, y2: number] {
  return [list[4 * i]!, list[4 * i + 1]!, list[4 * i + 2]!, list[4 * i + 3]!];
}

/** An object's mask over the whole image. */
function maskOf({ masks, regions, labels, width, height }: PreparedDetection, object: number): Uint8Array {
  const side = Math.sqrt(masks.length / labels.length);
  const [x1, y1, x2, y2] = cornersAt(regions, object);
  const whole = new Uint8Array(width * height);
  for (let y = Math.max(0, Math.floor(y1)); y < Math.min(height, y2); y++) {
    for (let x = Math.max(0, Math.floor(x1)); x < Math.min(width, x2); x++) {
      const [column, row] = [Math.floor(((x + 0.5 - x1) / (x2 - x1)) * side), Math.floor(((y + 0.5 - y1) / (y2 - y1)) * side)]; // prettier-ignore
      const isInside = column >= 0 && column < side && row >= 0 && row < side;
      if (isInside) whole[y * width + x] = masks[(object * side + row) * side + column]!;
    }
  }
  return whole;
}

const colourOf = (label: number): Rgb => PALETTE[label % PALETTE.length]!;
