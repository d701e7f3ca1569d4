/** Batches of classified images. */
import { fitsBytes, type PixelTensor, pixelTensor, stackPixels } from '@pyramidal/images';
import {
  type BatchPosition,
  type BatchSource,
  type LoadedBatch,
  type LoaderOptions,
  openBatchSource,
} from '@pyramidal/loading';
import * as tf from '@tensorflow/tfjs-core';
import { mixBatch, type MixupOptions } from './augment/mixup';
import type { ImageSample } from './image-folder';
import { repeatedOrder } from './repeated-order';
import { type ImageTransform, PREPARE, type PreparedImage } from './transform';

export interface ImageBatchesOptions extends Omit<
  LoaderOptions<ImageSample, PreparedImage>,
  'items' | 'load' | 'order' | 'concurrency'
> {
  readonly samples: readonly ImageSample[];
  /** K, the length of the targets. */
  readonly classes: number;
  readonly transform: ImageTransform;
  /** Mixes the images of each batch and their targets. */
  readonly mix?: MixupOptions;
  /** How often an image comes in an epoch, each time augmented anew; asks for `shuffle`. Default 1. */
  readonly repeats?: number;
  /** Images of a training come as bytes, unless something changes their normalised values: erasing, mixing. False unless told. */
  readonly bytes?: boolean;
  /** Threads that prepare images; 0 prepares them in this one. */
  readonly workers: number;
}

/** Tensors of one batch; the caller disposes `images` and `targets`. */
export interface ImageBatch<Images extends PixelTensor = tf.Tensor4D> extends BatchPosition {
  /** Normalised, float32 [N, size, size, 3]; or bytes. */
  readonly images: Images;
  /** Probabilities, float32 [N, K]: one-hot, or mixed like the images. */
  readonly targets: tf.Tensor2D;
  /** The images' own labels and files. */
  readonly samples: readonly ImageSample[];
}

/** Batches of a split: prepared in worker threads, read ahead, in the order that the seed fixes. */
export function openImageBatches(options: ImageBatchesOptions & { bytes?: undefined }): BatchSource<ImageBatch>;
export function openImageBatches(options: ImageBatchesOptions): BatchSource<ImageBatch<PixelTensor>>;
export function openImageBatches(options: ImageBatchesOptions): BatchSource<ImageBatch<PixelTensor>> {
  const { samples, classes, mix, repeats = 1, bytes = false, ...reading } = options;
  const transform = bytes ? inBytes(options.transform, mix) : options.transform;
  const order = repeatedOrder(samples, { seed: reading.seed, repeats });
  return openBatchSource({
    ...reading,
    items: samples,
    ...(repeats === 1 ? {} : { order: (epoch: number) => [order(epoch)] }),
    prepare: PREPARE,
    argumentsOf: (sample, seed) => [sample, transform, seed],
    collate: (loaded) => collate(loaded, { classes, transform, mix }),
    collateCopies: true,
  });
}

/** The transform, leaving bytes where these say as much as normalised values. */
function inBytes(transform: ImageTransform, mix?: MixupOptions): ImageTransform {
  if (transform.kind === 'validation' || !fitsBytes(transform.size)) return transform;
  const shares = [transform.erasing, mix?.mixup, mix?.cutmix];
  const isPlain = shares.every((share = 0) => share === 0);
  return { ...transform, bytes: isPlain };
}

function collate(
  { samples, epoch, batch, random }: LoadedBatch<PreparedImage>,
  { classes, transform: { size }, mix }: Pick<ImageBatchesOptions, 'classes' | 'transform'> & { mix?: MixupOptions },
): ImageBatch<PixelTensor> {
  const count = samples.length;
  const square = { width: size, height: size };
  const pixels = stackPixels(samples.map((sample) => ({ ...square, pixels: sample.pixels })), square); // prettier-ignore
  const targets = new Float32Array(count * classes);
  samples.forEach(({ label }, i) => (targets[i * classes + label] = 1));
  if (mix && pixels instanceof Float32Array) mixBatch({ images: pixels, targets, count, ...square }, mix, random);
  return {
    epoch,
    batch,
    images: pixelTensor(pixels, square),
    targets: tf.tensor2d(targets, [count, classes]),
    samples: samples.map(({ file, label }) => ({ file, label })),
  };
}
