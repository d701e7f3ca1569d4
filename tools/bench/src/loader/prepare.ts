/** What each image of the loader's benchmark goes through. */
import {
  IMAGENET_NORMALISATION,
  decodeImage,
  keepRatioSize,
  type PixelPicture,
  type Pixels,
  resizeAndNormalise,
  resizeImage,
  type RgbImage,
  type Size,
  stackPixels,
} from '@pyramidal/images';
import { Random, type Seed } from '@pyramidal/random';
import type { ThreadFunction } from '@pyramidal/loading';

const STRIDE = 32;

/** Sides of a canvas that a detector's feature maps fit. */
function paddedSize({ width, height }: Size): Size {
  const padded = (side: number) => Math.ceil(side / STRIDE) * STRIDE;
  return { width: padded(width), height: padded(height) };
}

/** How a detector takes its images: bytes, which the engine normalises, or normalised floats. */
export type PixelKind = 'bytes' | 'floats';

/**
 * What detectors train on: decode, resize to 800 (at most 1333), mirror half of the time, normalise if they are floats, pad to multiples of
 * 32.
 */
export async function prepareForDetection(file: string, kind: PixelKind, seed: Seed): Promise<PixelPicture> {
  const image = await decodeImage(file);
  const mirror = new Random(seed).chance(0.5);
  return kind === 'bytes' ? resizedBytes(image, mirror) : normalisedFloats(image, mirror);
}

export function resizedBytes(image: RgbImage, mirror: boolean): PixelPicture<Uint8Array> {
  const { data, width, height } = resizeImage(image, { ...sizeOf(image), mirror, convention: 'opencv-bilinear' });
  const canvas = paddedSize({ width, height });
  return { pixels: stackPixels([{ pixels: data, width, height }], canvas), ...canvas };
}

function normalisedFloats(image: RgbImage, mirror: boolean): PixelPicture<Float32Array> {
  const size = sizeOf(image);
  const canvas = paddedSize(size);
  const pixels = new Float32Array(canvas.width * canvas.height * 3);
  const normalisation = IMAGENET_NORMALISATION;
  const options = { ...size, mirror, convention: 'opencv-bilinear', normalisation } as const;
  resizeAndNormalise(image, options, pixels, { canvasWidth: canvas.width });
  return { pixels, ...canvas };
}

const sizeOf = (image: Size): Size => keepRatioSize(image, { shortest: 800, longest: 1333 });

export const PREPARE_FOR_DETECTION: ThreadFunction<[string, PixelKind, Seed], PixelPicture<Pixels>> = {
  file: __filename,
  name: prepareForDetection.name,
  run: prepareForDetection,
};
