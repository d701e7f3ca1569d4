/** One image made ready for a batch, as timm and torchvision do it. */
import {
  centreCropOf,
  cropImage,
  type DecodeOptions,
  decodeResized,
  flipImage,
  type ImageSource,
  type Normalisation,
  normaliseImage,
  type Pixels,
  type Rgb,
  type RgbImage,
  type Size,
  withImage,
} from '@pyramidal/images';
import type { ThreadFunction } from '@pyramidal/loading';
import { Random, type Seed } from '@pyramidal/random';
import { colourJitter } from './augment/colour-jitter';
import { randAugment, type RandAugmentOptions } from './augment/rand-augment';
import { eraseRandomly } from './augment/random-erasing';
import { randomResizedCrop, type RandomResizedCropOptions } from './augment/random-resized-crop';
import type { ImageSample } from './image-folder';

/** How an image is prepared for validation: shorter side to `size / cropPct`, centre crop, normalise. */
export interface ValidationTransform {
  readonly kind: 'validation';
  readonly size: number;
  /** 0.875 gives the usual 256 / 224. */
  readonly cropPct: number;
  readonly normalisation: Normalisation;
  /** How files are read; the default orientation is 'stored', as torchvision and timm read them. */
  readonly decode?: DecodeOptions;
}

/** How an image is prepared for training, in this order, as timm does it: crop, mirror, distort, normalise, erase. */
export interface TrainingTransform extends RandomResizedCropOptions {
  readonly kind: 'training';
  /** Probability of mirroring; 0.5 unless told. */
  readonly flip?: number;
  readonly randAugment?: RandAugmentOptions;
  /** Strength of the change of brightness, contrast and saturation; 0 unless told. RandAugment takes its place. */
  readonly colourJitter?: number;
  readonly normalisation: Normalisation;
  readonly decode?: DecodeOptions;
  /** Probability of random erasing; 0 unless told. */
  readonly erasing?: number;
  /** Samples keep bytes, neither normalised nor erased; false unless told. */
  readonly bytes?: boolean;
}

export type ImageTransform = ValidationTransform | TrainingTransform;

/**
 * Decodes and prepares one image.
 * @param seed all that is random in a training transform comes from it. @param name what errors call an image without a path.
 * @returns float32 [size, size, 3] values.
 */
export function prepareImage(
  source: ImageSource,
  transform: ImageTransform,
  seed: Seed,
  name?: string,
): Promise<Float32Array> {
  if (transform.kind === 'validation') return prepareCentre(source, transform, name);
  return withImage(source, transform.decode, (image) => transformImage(image, transform, seed), name);
}

/** `resizeAndCentreCrop`, normalised. */
async function prepareCentre(
  source: ImageSource,
  { decode = {}, normalisation, ...crop }: ValidationTransform,
  name: string | undefined,
): Promise<Float32Array> {
  const plan = (image: Size) => [{ ...centreCropOf(image, crop).resized, convention: 'pillow-bicubic' as const }];
  const { original, images } = await decodeResized(source, decode, plan, name);
  return normaliseImage(cropImage(images[0]!, centreCropOf(original, crop).rect), normalisation);
}

function transformImage(image: RgbImage, transform: TrainingTransform, seed: Seed): Float32Array {
  const { size, erasing = 0, normalisation } = transform;
  const random = new Random(seed);
  const pixels = normaliseImage(augmentImage(image, transform, random), normalisation);
  eraseRandomly(pixels, { width: size, height: size }, erasing, random);
  return pixels;
}

/** Cropped, mirrored, distorted. */
function augmentImage(image: RgbImage, transform: TrainingTransform, random: Random): RgbImage {
  const cropped = randomResizedCrop(image, transform, random);
  const mirrored = random.chance(transform.flip ?? 0.5) ? flipImage(cropped) : cropped;
  return distort(mirrored, transform, random);
}

/** An image of a dataset, made ready. */
export interface PreparedImage extends ImageSample {
  /** Normalised values or bytes, [size, size, 3]. */
  readonly pixels: Pixels;
}

export async function prepareSample(
  sample: ImageSample,
  transform: ImageTransform,
  seed: Seed,
): Promise<PreparedImage> {
  return { ...sample, pixels: await preparePixels(sample.file, transform, seed) };
}

function preparePixels(file: string, transform: ImageTransform, seed: Seed): Promise<Pixels> {
  if (transform.kind === 'validation' || !transform.bytes) return prepareImage(file, transform, seed);
  return withImage(file, transform.decode, (image) => augmentImage(image, transform, new Random(seed)).data);
}

/** `prepareSample` for worker threads. */
export const PREPARE: ThreadFunction<Parameters<typeof prepareSample>, PreparedImage> = {
  file: __filename,
  name: prepareSample.name,
  run: prepareSample,
};

function distort(image: RgbImage, transform: TrainingTransform, random: Random): RgbImage {
  const { colourJitter: strength = 0, conventions = ['pillow-bicubic'], normalisation } = transform;
  if (transform.randAugment === undefined) return strength > 0 ? colourJitter(image, strength, random) : image;
  const filters = conventions.map((name) => (name === 'pillow-bicubic' ? 'bicubic' : 'bilinear'));
  const [red, green, blue] = normalisation.mean;
  const fill: Rgb = [Math.round(red), Math.round(green), Math.round(blue)];
  return randAugment(image, transform.randAugment, random, { filters, fill });
}
