/** Images with their labels made ready, as MMSegmentation does it. */
import {
  cropImage,
  decodeImage,
  decodeResized,
  type DecodeOptions,
  distortColours,
  flipImage,
  type ImageSource,
  keepRatioSize,
  type Normalisation,
  normaliseImage,
  type Orientation,
  type Pixels,
  resizeImage,
  type RgbImage,
  rotateImage,
  type Size,
  stackPixels,
} from '@pyramidal/images';
import { requireSize, type ThreadFunction } from '@pyramidal/loading';
import { Random, type Seed } from '@pyramidal/random';
import type { SegmentationSample } from './folder';
import { type LabelCoding, readLabels } from './label-file';
import { cropLabels, flipLabels, type LabelMap, resizeLabels, rotateLabels } from './label-map';
import { drawCrop } from './random-crop';

/** The box that an image is resized to fit, keeping its shape: MMSegmentation's `img_scale`, (2048, 512) for ADE20K. */
export interface ScaleBox {
  readonly longest: number;
  readonly shortest: number;
}

/** MMSegmentation's standard pipeline: resize by a random ratio, crop, mirror, distort colours, normalise, pad. */
export interface TrainingTransform {
  readonly scale: ScaleBox;
  readonly ratioRange: readonly [number, number];
  /** Side of the square that comes out. */
  readonly crop: number;
  readonly catMaxRatio: number;
  /** Probability of mirroring. */
  readonly flip: number;
  readonly photometric: boolean;
  /** Largest turn to either side, in degrees; 0 unless told. */
  readonly rotate?: number;
  /** Share of the images of which a rectangle shows another one; 0 unless told. */
  readonly cutMix?: number;
  readonly normalisation: Normalisation;
  /** How images are read; the default orientation is 'exif', as OpenCV and MMSegmentation read them. */
  readonly decode?: DecodeOptions;
  /** Samples keep bytes, which are not normalised; with no `cutMix`, whose padding is no rectangle. False unless told. */
  readonly bytes?: boolean;
}

export interface TrainingSample {
  /** [crop, crop, 3], zeros beside the image: normalised, or bytes. */
  readonly pixels: Pixels;
  /** What of it is image. */
  readonly shown: Size;
  /** Classes or 255, [crop, crop]. */
  readonly labels: Uint8Array;
}

/** One normalised image a ratio, for evaluation at several scales. */
export interface EvaluationTransform {
  readonly scale: ScaleBox;
  readonly ratios: readonly number[];
  readonly normalisation: Normalisation;
  readonly decode?: DecodeOptions;
}

export interface ScaledImage extends Size {
  /** Normalised, float32 [height, width, 3]. */
  readonly pixels: Float32Array;
}

export interface EvaluationSample {
  readonly scaled: readonly ScaledImage[];
  /** Of the file. */
  readonly original: Size;
}

/** The size that an image gets: as large as fits the box times the ratio, whose sides are cut to whole pixels. */
export function scaledSize(image: Size, { longest, shortest }: ScaleBox, ratio = 1): Size {
  return keepRatioSize(image, { longest: Math.trunc(longest * ratio), shortest: Math.trunc(shortest * ratio) });
}

type Decoding = DecodeOptions & Required<Pick<DecodeOptions, 'orientation'>>;

export function decodingOf({ decode }: Pick<TrainingTransform | EvaluationTransform, 'decode'>): Decoding {
  return { orientation: 'exif', ...decode };
}

/** Reads an image and its label. @throws Error if their sizes differ. */
async function readPair(
  sample: SegmentationSample,
  coding: LabelCoding,
  decoding: Decoding,
): Promise<{ image: RgbImage; labels: LabelMap }> {
  const [image, labels] = await Promise.all([decodeImage(sample.image, decoding), readLabels(sample.label, coding)]);
  await requireSameSize(sample, labels, image, decoding.orientation);
  return { image, labels };
}

/** @throws BrokenImageError naming both files, and EXIF's orientation if it explains the image's size. */
export function requireSameSize(
  { image: file, label }: SegmentationSample,
  { width, height }: Size,
  image: Size,
  orientation: Orientation,
): Promise<void> {
  return requireSize(image, { file, label, width, height }, orientation);
}

/** The stream of random numbers for CutMix: what else is drawn is the same with and without it. */
const CUT_MIX = 11;

/**
 * @param seed all that is random comes from it.
 * @param partner another image, for CutMix (Yun et al., ICCV 2019): labels move with the pixels, so nothing is weighted.
 */
export async function prepareTraining(
  sample: SegmentationSample,
  coding: LabelCoding,
  transform: TrainingTransform,
  seed: Seed,
  partner?: SegmentationSample,
): Promise<TrainingSample> {
  const whole = await prepareOne(sample, coding, transform, seed);
  const random = new Random([...seed, CUT_MIX]);
  if (partner === undefined || !random.chance(transform.cutMix ?? 0)) return whole;
  const other = await prepareOne(partner, coding, transform, [...seed, CUT_MIX]);
  const { crop } = transform;
  // The share that is kept is uniform, as Beta(1, 1); the rectangle has the shape of the image.
  const side = Math.round(crop * Math.sqrt(1 - random.uniform()));
  const [left, top] = [random.integer(crop - side + 1), random.integer(crop - side + 1)];
  for (let y = top; y < top + side; y++) {
    const [from, to] = [y * crop + left, y * crop + left + side];
    whole.pixels.set(other.pixels.subarray(3 * from, 3 * to), 3 * from);
    whole.labels.set(other.labels.subarray(from, to), from);
  }
  return whole;
}

async function prepareOne(
  sample: SegmentationSample,
  coding: LabelCoding,
  transform: TrainingTransform,
  seed: Seed,
): Promise<TrainingSample> {
  const { crop, catMaxRatio, ratioRange, normalisation, rotate = 0, bytes = false } = transform;
  const pair = await readPair(sample, coding, decodingOf(transform));
  const random = new Random(seed);
  const size = scaledSize(pair.image, transform.scale, random.uniform(...ratioRange));
  const labels = resizeLabels(pair.labels, size);
  const window = drawCrop(labels, { width: crop, height: crop, catMaxRatio }, random);
  const cropped = cropImage(resizeImage(pair.image, { ...size, convention: 'opencv-bilinear' }), window);
  const turn = rotate > 0 ? random.uniform(-rotate, rotate) : 0;
  const mean = normalisation.mean.map(Math.round) as [number, number, number];
  const turned = turn === 0 ? cropped : rotateImage(cropped, turn, 'bilinear', mean);
  const mirror = random.chance(transform.flip);
  const mirrored = mirror ? flipImage(turned) : turned;
  const distorted = transform.photometric ? distortColours(mirrored, random) : mirrored;
  const croppedLabels = cropLabels(labels, window);
  const turnedLabels = turn === 0 ? croppedLabels : rotateLabels(croppedLabels, turn);
  const oriented = mirror ? flipLabels(turnedLabels) : turnedLabels;
  const { width, height } = distorted;
  const pixels: Pixels = bytes ? distorted.data : normaliseImage(distorted, normalisation);
  return {
    pixels: stackPixels([{ pixels, width, height }], { width: crop, height: crop }),
    shown: { width, height },
    labels: cropLabels(oriented, { x: 0, y: 0, width: crop, height: crop }).data,
  };
}

/** `prepareTraining` for worker threads. */
export const PREPARE: ThreadFunction<Parameters<typeof prepareTraining>, TrainingSample> = {
  file: __filename,
  name: prepareTraining.name,
  run: prepareTraining,
};

/** @param name what errors call an image without a path. */
export async function prepareEvaluation(
  source: ImageSource,
  transform: EvaluationTransform,
  name?: string,
): Promise<EvaluationSample> {
  const { scale, ratios, normalisation } = transform;
  const plan = (image: Size) =>
    ratios.map((ratio) => ({ ...scaledSize(image, scale, ratio), convention: 'opencv-bilinear' as const }));
  const { original, images } = await decodeResized(source, decodingOf(transform), plan, name);
  const scaled = images.map((image) => {
    const { width, height } = image;
    return { width, height, pixels: normaliseImage(image, normalisation) };
  });
  return { scaled, original };
}
