/** Batches of classified images. */
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
  /** Threads that prepare images; 0 prepares them in this one. */
  readonly workers: number;
}

/** Tensors of one batch; the caller disposes `images` and `targets`. */
export interface ImageBatch extends BatchPosition {
  /** Normalised, float32 [N, size, size, 3]. */
  readonly images: tf.Tensor4D;
  /** Probabilities, float32 [N, K]: one-hot, or mixed like the images. */
  readonly targets: tf.Tensor2D;
  /** The images' own labels and files. */
  readonly samples: readonly ImageSample[];
}

/** Batches of a split: prepared in worker threads, read ahead, in the order that the seed fixes. */
export function openImageBatches(options: ImageBatchesOptions): BatchSource<ImageBatch> {
  const { samples, classes, transform, mix, repeats = 1, ...reading } = options;
  const order = repeatedOrder(samples, { seed: reading.seed, repeats });
  return openBatchSource({
    ...reading,
    items: samples,
    ...(repeats === 1 ? {} : { order: (epoch: number) => [order(epoch)] }),
    prepare: PREPARE,
    argumentsOf: (sample, seed) => [sample, transform, seed],
    collate: (loaded) => collate(loaded, { classes, transform, mix }),
  });
}

function collate(
  { samples, epoch, batch, random }: LoadedBatch<PreparedImage>,
  { classes, transform: { size }, mix }: Pick<ImageBatchesOptions, 'classes' | 'transform'> & { mix?: MixupOptions },
): ImageBatch {
  const count = samples.length;
  const pixels = new Float32Array(count * size * size * 3);
  const targets = new Float32Array(count * classes);
  samples.forEach((sample, i) => {
    pixels.set(sample.pixels, i * sample.pixels.length);
    targets[i * classes + sample.label] = 1;
  });
  if (mix) mixBatch({ images: pixels, targets, count, width: size, height: size }, mix, random);
  return {
    epoch,
    batch,
    images: tf.tensor4d(pixels, [count, size, size, 3]),
    targets: tf.tensor2d(targets, [count, classes]),
    samples: samples.map(({ file, label }) => ({ file, label })),
  };
}
