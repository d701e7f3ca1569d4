import {
  type Normalisation,
  Random,
  type RandomResizedCropOptions,
  type RgbImage,
  type Seed,
  decodeImage,
  flipImage,
  normaliseImage,
  randomResizedCrop,
  resizeAndCentreCrop,
} from '@pyramidal/images';

/** How an image is prepared for validation: shorter side to `size / cropPct`, centre crop, normalise. */
export interface ValidationTransform {
  readonly kind: 'validation';
  readonly size: number;
  /** 0.875 gives the usual 256 / 224. */
  readonly cropPct: number;
  readonly normalisation: Normalisation;
}

/** How an image is prepared for training, in this order. */
export interface TrainingTransform extends RandomResizedCropOptions {
  readonly kind: 'training';
  /** Probability of mirroring; 0.5 unless told. */
  readonly flip?: number;
  readonly normalisation: Normalisation;
}

export type ImageTransform = ValidationTransform | TrainingTransform;

/**
 * Decodes and prepares one image.
 * @returns float32 [size, size, 3] values.
 */
export async function prepareImage(file: string, transform: ImageTransform, seed: Seed): Promise<Float32Array> {
  const image = await decodeImage(file);
  return transform.kind === 'validation'
    ? normaliseImage(resizeAndCentreCrop(image, transform), transform.normalisation)
    : prepareForTraining(image, transform, new Random(seed));
}

function prepareForTraining(image: RgbImage, transform: TrainingTransform, random: Random): Float32Array {
  const { flip = 0.5, normalisation } = transform;
  const cropped = randomResizedCrop(image, transform, random);
  const flipped = random.chance(flip) ? flipImage(cropped) : cropped;
  return normaliseImage(flipped, normalisation);
}
