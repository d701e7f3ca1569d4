/** Batches of labelled images for training, and images one by one for evaluation. */
import { fitsBytes, type PixelTensor, pixelTensor, type Size, stackPixels, wordsOf } from '@pyramidal/images';
import {
  type BatchRange,
  type BatchPosition,
  type BatchSource,
  evenlySpaced,
  type LoadedBatch,
  Loader,
  type LoaderOptions,
  openBatchSource,
} from '@pyramidal/loading';
import { Random, type Seed } from '@pyramidal/random';
import * as tf from '@tensorflow/tfjs-core';
import type { SegmentationSample } from './folder';
import { type LabelCoding, readLabels } from './label-file';
import type { LabelMap } from './label-map';
import {
  type EvaluationSample,
  type EvaluationTransform,
  decodingOf,
  PREPARE,
  prepareEvaluation,
  prepareTraining,
  requireSameSize,
  type TrainingSample,
  type TrainingTransform,
} from './transform';

export interface SegmentationBatchesOptions extends Omit<
  LoaderOptions<SegmentationSample, TrainingSample>,
  'items' | 'load' | 'order' | 'concurrency'
> {
  readonly samples: readonly SegmentationSample[];
  readonly coding: LabelCoding;
  readonly transform: TrainingTransform;
  /** Threads that prepare images; 0 prepares them in this one. */
  readonly workers: number;
  /** Images and labels come as bytes, unless CutMix joins images; false unless told. */
  readonly bytes?: boolean;
}

/** Tensors of one batch, the caller's to dispose. */
export interface SegmentationBatch<Images extends PixelTensor = tf.Tensor4D> extends BatchPosition {
  /** Normalised, float32 [N, crop, crop, 3], zeros beside the images; or bytes. */
  readonly images: Images;
  /** Classes or 255, int32 [N, crop, crop]; beside images of bytes four in a number, int32 [N, crop, crop / 4]. */
  readonly labels: tf.Tensor3D;
  /** float32 [N, 2], (height, width) of each image within the batch. */
  readonly sizes: tf.Tensor2D;
}

/** Training batches: prepared in worker threads, read ahead, in the order that the seed fixes. */
export function openSegmentationBatches(
  options: SegmentationBatchesOptions & { bytes?: undefined },
): BatchSource<SegmentationBatch>;
export function openSegmentationBatches(
  options: SegmentationBatchesOptions,
): BatchSource<SegmentationBatch<PixelTensor>>;
export function openSegmentationBatches(
  options: SegmentationBatchesOptions,
): BatchSource<SegmentationBatch<PixelTensor>> {
  const { samples, coding, bytes = false, ...reading } = options;
  const { cutMix = 0, crop } = options.transform;
  const transform = { ...options.transform, bytes: bytes && cutMix === 0 && fitsBytes(crop) };
  return openBatchSource({
    ...reading,
    items: samples,
    prepare: PREPARE,
    argumentsOf: (sample, seed) => [sample, coding, transform, seed, partnerOf(samples, transform, seed)],
    collate: (loaded) => collate(loaded, { width: crop, height: crop }),
    collateCopies: true,
  });
}

/** The stream of random numbers that chooses them. */
const PARTNER = 13;

/** Another image that a sample may show a part of. */
function partnerOf(
  samples: readonly SegmentationSample[],
  { cutMix = 0 }: TrainingTransform,
  seed: Seed,
): SegmentationSample | undefined {
  return cutMix > 0 ? new Random([...seed, PARTNER]).pick(samples) : undefined;
}

/** The stream of random numbers for images that people look at. */
const PREVIEW = 17;

/** Evenly spaced training images as a network sees them, one by one. */
export async function* previewTraining(
  { samples, coding, transform }: Pick<SegmentationBatchesOptions, 'samples' | 'coding' | 'transform'>,
  { count, seed }: { readonly count: number; readonly seed: number },
): AsyncGenerator<TrainingSample & { readonly name: string }, void, void> {
  for (const [i, sample] of evenlySpaced(samples, count).entries()) {
    const own = [seed, PREVIEW, i];
    const prepared = await prepareTraining(sample, coding, transform, own, partnerOf(samples, transform, own));
    yield { ...prepared, name: sample.name };
  }
}

function collate({ samples, epoch, batch }: LoadedBatch<TrainingSample>, square: Size): SegmentationBatch<PixelTensor> {
  const count = samples.length;
  const pixels = stackPixels(samples.map((sample) => ({ ...square, pixels: sample.pixels })), square); // prettier-ignore
  const labels = new Uint8Array(count * square.height * square.width);
  samples.forEach((sample, i) => labels.set(sample.labels, i * sample.labels.length));
  const numbers = pixels instanceof Uint8Array ? wordsOf(labels) : Int32Array.from(labels);
  return {
    epoch,
    batch,
    images: pixelTensor(pixels, square),
    labels: tf.tensor3d(numbers, [count, square.height, numbers.length / (count * square.height)], 'int32'),
    sizes: tf.tensor2d(samples.flatMap(({ shown }) => [shown.height, shown.width]), [count, 2]), // prettier-ignore
  };
}

export interface EvaluationOptions {
  readonly samples: readonly SegmentationSample[];
  readonly coding: LabelCoding;
  readonly transform: EvaluationTransform;
}

/** An image at the sizes to look at it, with its label at the size of the file. */
export interface EvaluationItem extends EvaluationSample, SegmentationSample {
  readonly labels: LabelMap;
}

/**
 * Every image of a split once, in order, two read ahead.
 * @throws Error naming the file if a label does not fit its image or classes.
 */
export async function* evaluationItems(
  { samples, coding, transform }: EvaluationOptions,
  range: Pick<BatchRange, 'signal' | 'share'> = {},
): AsyncGenerator<EvaluationItem, void, void> {
  const loader = new Loader<SegmentationSample, EvaluationItem>({
    items: samples,
    batchSize: 1,
    seed: 0,
    shuffle: false,
    load: async (sample) => {
      const { name, image, label } = sample;
      const [prepared, labels] = await Promise.all([prepareEvaluation(image, transform), readLabels(label, coding)]);
      await requireSameSize(sample, labels, prepared.original, decodingOf(transform).orientation);
      return { ...prepared, name, image, label, labels };
    },
  });
  for await (const { samples: items } of loader.batches(range)) yield items[0]!;
}
