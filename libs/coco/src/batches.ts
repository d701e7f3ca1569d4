/** Batches of images with their objects, for detectors. */
import {
  type BatchPosition,
  type BatchSource,
  evenlySpaced,
  type LoadedBatch,
  type LoaderOptions,
  openBatchSource,
} from '@pyramidal/loading';
import * as tf from '@tensorflow/tfjs-core';
import { type PixelPicture, type PixelTensor, pixelTensor, type Size, stackPixels } from '@pyramidal/images';
import { Random, type Seed } from '@pyramidal/random';
import { partnersOf } from './augment/augment';
import { chooseCanvases, fittingCanvas, groupByCanvas, tightCanvas } from './canvas';
import type { DetectionSample } from './dataset';
import { orderByOrientation } from './order';
import { type DetectionTransform, PREPARE, type PreparedDetection, prepareSample } from './prepare';

export interface DetectionBatchesOptions extends Pick<
  LoaderOptions<DetectionSample, PreparedDetection>,
  'batchSize' | 'seed' | 'onBroken' | 'prefetch'
> {
  readonly samples: readonly DetectionSample[];
  readonly transform: DetectionTransform;
  /**
   * A new order every epoch with full batches of one orientation, for training; or every image once, those of one
   * canvas together, for which `scales` is one and nothing is cropped.
   */
  readonly shuffle: boolean;
  /** How often each sample is seen in an epoch of training, on average; once unless told. */
  readonly factors?: readonly number[] | undefined;
  /** Threads that prepare images; 0 prepares them in this one. */
  readonly workers: number;
  /** Images come as bytes; false unless told. */
  readonly bytes?: boolean;
}

/** Tensors of one batch; the caller disposes them. H and W are multiples of 32; G is the number of rows of ground truth. */
export interface DetectionBatch<Images extends PixelTensor = tf.Tensor4D> extends BatchPosition {
  readonly tensors: {
    /** Normalised, float32 [N, H, W, 3], padded with zeros at the right and bottom; or bytes, padded alike. */
    readonly images: Images;
    /** float32 [N, 2], (height, width) of each image within the batch. */
    readonly sizes: tf.Tensor2D;
    /** float32 [N, G, 4], xyxy. */
    readonly boxes: tf.Tensor3D;
    /** int32 [N, G], -1 in rows without an object. */
    readonly labels: tf.Tensor2D;
    /** bool [N, G, side, side], each over its region; absent, as the two below, where no masks are drawn. */
    readonly masks?: tf.Tensor4D;
    /** float32 [N, G, 4], xyxy. */
    readonly regions?: tf.Tensor3D;
    /** int32 [N, G], 1 where an object has a mask, 0 where it is labelled by its box alone. */
    readonly hasMask?: tf.Tensor2D;
    /** float32 [N, I, 4], xyxy: crowds; rows of zeros hold none. */
    readonly ignored: tf.Tensor3D;
  };
  /** The images' ids, and their pixels in the batch per pixel of their files. */
  readonly samples: readonly { readonly id: number; readonly scale: readonly [x: number, y: number] }[];
  /** Batches with images of the same canvas in the epoch, this one included. */
  readonly alike: number;
}

/** Rows of objects that are enough for most batches; the others have rows for the largest number. */
const FEW_ROWS = 32;

/** Rows of crowds; of more the smallest are left out. */
const CROWDS = 8;

/** Batches of a dataset: prepared in worker threads, read ahead, in the order that the seed fixes. */
export function openDetectionBatches(
  options: DetectionBatchesOptions & { bytes?: undefined },
): BatchSource<DetectionBatch>;
export function openDetectionBatches(options: DetectionBatchesOptions): BatchSource<DetectionBatch<PixelTensor>>;
export function openDetectionBatches(options: DetectionBatchesOptions): BatchSource<DetectionBatch<PixelTensor>> {
  const { samples, shuffle, factors, bytes = false, ...reading } = options;
  const transform: DetectionTransform = { ...options.transform, bytes };
  const { batchSize, seed } = reading;
  if (samples.length === 0) throw new RangeError('openDetectionBatches: expected at least one image, received none');
  const order = { batchSize, seed, factors };
  const canvases = shuffle ? chooseCanvases(samples, transform, order) : [];
  const canvasOf = (images: readonly Size[]): Size =>
    shuffle ? fittingCanvas(images, canvases, transform) : tightCanvas(images);
  return openBatchSource({
    ...reading,
    items: samples,
    shuffle,
    order: (epoch) => (shuffle ? [orderByOrientation(samples, order, epoch)] : groupByCanvas(samples, transform)),
    prepare: PREPARE,
    argumentsOf: (sample, sampleSeed) => [sample, transform, sampleSeed, drawPartners(samples, transform, sampleSeed)],
    collate: (loaded) => collate(loaded, transform, canvasOf),
    collateCopies: true,
  });
}

/** The stream of random numbers that chooses them. */
const PARTNERS = 13;

/** Other images that a sample may be made of. */
function drawPartners(
  samples: readonly DetectionSample[],
  transform: DetectionTransform,
  seed: Seed,
): DetectionSample[] {
  const random = new Random([...seed, PARTNERS]);
  return Array.from({ length: partnersOf(transform) }, () => random.pick(samples));
}

/**
 * Samples as a training sees them, one by one and evenly spaced: for people to look at.
 * @param seed all that is random comes from it.
 */
export async function* previewSamples(
  samples: readonly DetectionSample[],
  transform: DetectionTransform,
  { count, seed }: { readonly count: number; readonly seed: number },
): AsyncGenerator<PreparedDetection> {
  for (const [i, sample] of evenlySpaced(samples, count).entries()) {
    const own = [seed, PREVIEW, i];
    yield await prepareSample(sample, transform, own, drawPartners(samples, transform, own));
  }
}

/** The stream of random numbers of a preview, which no training draws from. */
const PREVIEW = 17;

function collate(
  { samples, epoch, batch, alike }: LoadedBatch<PreparedDetection>,
  transform: DetectionTransform,
  canvasOf: (images: readonly Size[]) => Size,
): DetectionBatch<PixelTensor> {
  const tensors = toTensors(samples, transform, canvasOf(samples));
  return { epoch, batch, alike, tensors, samples: samples.map(({ id, scale }) => ({ id, scale })) };
}

function toTensors(
  samples: readonly PreparedDetection[],
  { maskSide, maxObjects }: DetectionTransform,
  canvas: Size,
): DetectionBatch<PixelTensor>['tensors'] {
  const count = samples.length;
  const isFew = samples.every(({ labels }) => labels.length <= FEW_ROWS);
  const rows = isFew ? Math.min(FEW_ROWS, maxObjects) : maxObjects;
  const cells = maskSide * maskSide;
  const boxes = new Float32Array(count * rows * 4);
  const regions = new Float32Array(count * rows * 4);
  const ignored = new Float32Array(count * CROWDS * 4);
  const labels = new Int32Array(count * rows).fill(-1);
  const masks = new Uint8Array(count * rows * cells);
  const hasMask = new Int32Array(count * rows);
  samples.forEach((sample, i) => {
    boxes.set(sample.boxes, i * rows * 4);
    regions.set(sample.regions, i * rows * 4);
    ignored.set(sample.ignored.subarray(0, CROWDS * 4), i * CROWDS * 4);
    labels.set(sample.labels, i * rows);
    masks.set(sample.masks, i * rows * cells);
    hasMask.set(sample.hasMask, i * rows);
  });
  return {
    ...stackImages(samples, canvas),
    boxes: tf.tensor3d(boxes, [count, rows, 4]),
    labels: tf.tensor2d(labels, [count, rows], 'int32'),
    ignored: tf.tensor3d(ignored, [count, CROWDS, 4]),
    ...(maskSide > 0 && {
      masks: tf.tensor4d(masks, [count, rows, maskSide, maskSide], 'bool'),
      regions: tf.tensor3d(regions, [count, rows, 4]),
      hasMask: tf.tensor2d(hasMask, [count, rows], 'int32'),
    }),
  };
}

type Stacked<Images extends PixelTensor> = Pick<DetectionBatch<Images>['tensors'], 'images' | 'sizes'>;

/** Images in the corners of a canvas, the tight one unless told; the caller disposes of the tensors. */
export function stackImages(images: readonly PixelPicture<Float32Array>[], canvas?: Size): Stacked<tf.Tensor4D>;
export function stackImages(images: readonly PixelPicture[], canvas?: Size): Stacked<PixelTensor>;
export function stackImages(images: readonly PixelPicture[], canvas: Size = tightCanvas(images)): Stacked<PixelTensor> {
  return {
    images: pixelTensor(stackPixels(images, canvas), canvas),
    sizes: tf.tensor2d(images.flatMap((image) => [image.height, image.width]), [images.length, 2]), // prettier-ignore
  };
}
