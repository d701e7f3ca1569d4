/** What each image of the loader's benchmark goes through. */
import { IMAGENET_NORMALISATION, decodeImage, keepRatioSize, resizeAndNormalise } from '@pyramidal/images';
import { Random, type Seed } from '@pyramidal/random';
import type { ThreadFunction } from '@pyramidal/loading';

const STRIDE = 32;

/** What detectors train on: decode, resize to 800 (at most 1333), mirror half of the time, normalise, pad to multiples of 32. */
export async function prepareForDetection(file: string, seed: Seed): Promise<Float32Array> {
  const image = await decodeImage(file);
  const { width, height } = keepRatioSize(image, { shortest: 800, longest: 1333 });
  const padded = (side: number) => Math.ceil(side / STRIDE) * STRIDE;
  const canvasWidth = padded(width);
  const out = new Float32Array(canvasWidth * padded(height) * 3);
  const mirror = new Random(seed).chance(0.5);
  const options = {
    width,
    height,
    mirror,
    convention: 'opencv-bilinear',
    normalisation: IMAGENET_NORMALISATION,
  } as const;
  resizeAndNormalise(image, options, out, { canvasWidth });
  return out;
}

export const PREPARE_FOR_DETECTION: ThreadFunction<[string, Seed], Float32Array> = {
  file: __filename,
  name: prepareForDetection.name,
  run: prepareForDetection,
};
