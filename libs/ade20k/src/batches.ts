import { extname, join } from 'node:path';
import { type BatchPosition, type BatchRange, Loader, type LoaderOptions, WorkerPool } from '@pyramidal/images';
import * as tf from '@tensorflow/tfjs-core';
import type { SegmentationSample } from './folder';
import { type LabelCoding, readLabels } from './label-file';
import type { LabelMap } from './label-map';
import type { PrepareTask } from './prepare-worker';
import {
  type EvaluationSample,
  type EvaluationTransform,
  prepareEvaluation,
  prepareTraining,
  requireSameSize,
  type TrainingSample,
  type TrainingTransform,
} from './transform';

export interface SegmentationBatchesOptions extends Omit<
  LoaderOptions<SegmentationSample, TrainingSample>,
  'items' | 'load' | 'concurrency'
> {
  readonly samples: readonly SegmentationSample[];
  readonly coding: LabelCoding;
  readonly transform: TrainingTransform;
  /** Threads that prepare images; 0 prepares them in this one. */
  readonly workers: number;
}

/** Tensors of one batch; the caller disposes `images` and `labels`. */
export interface SegmentationBatch extends BatchPosition {
  /** Normalised, float32 [N, crop, crop, 3]. */
  readonly images: tf.Tensor4D;
  /** Classes or 255, int32 [N, crop, crop]. */
  readonly labels: tf.Tensor3D;
}

/** Training batches: prepared in worker threads, read ahead, in the order that the seed fixes. */
export class SegmentationBatches {
  private readonly loader: Loader<SegmentationSample, TrainingSample>;
  private readonly pool: WorkerPool<PrepareTask, TrainingSample> | undefined;

  constructor(private readonly options: SegmentationBatchesOptions) {
    const { samples, coding, transform, workers } = options;
    const pool = workers > 0 ? new WorkerPool<PrepareTask, TrainingSample>(workerFile(), workers) : undefined;
    this.pool = pool;
    this.loader = new Loader({
      ...options,
      items: samples,
      concurrency: pool ? Infinity : 4,
      load: (sample, seed, stopped) =>
        pool
          ? pool.run({ sample, coding, transform, seed }, stopped)
          : prepareTraining(sample, coding, transform, seed),
    });
  }

  get batchesPerEpoch(): number {
    return this.loader.batchesPerEpoch;
  }

  /** Broken images met so far: file to reason. */
  get broken(): ReadonlyMap<string, string> {
    return this.loader.broken;
  }

  /** Batches from a position on (see `Loader.batches`). */
  async *batches(range: BatchRange = {}): AsyncGenerator<SegmentationBatch, void, void> {
    const { crop } = this.options.transform;
    for await (const { samples, epoch, batch } of this.loader.batches(range)) {
      if (samples.length === 0) continue; // every image of it was broken
      const pixels = new Float32Array(samples.length * crop * crop * 3);
      const labels = new Int32Array(samples.length * crop * crop);
      samples.forEach((sample, i) => {
        pixels.set(sample.pixels, i * sample.pixels.length);
        labels.set(sample.labels, i * sample.labels.length);
      });
      yield {
        epoch,
        batch,
        images: tf.tensor4d(pixels, [samples.length, crop, crop, 3]),
        labels: tf.tensor3d(labels, [samples.length, crop, crop], 'int32'),
      };
    }
  }

  /** Ends the worker threads. */
  async close(): Promise<void> {
    await this.pool?.close();
  }
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
  signal?: AbortSignal,
): AsyncGenerator<EvaluationItem, void, void> {
  const loader = new Loader<SegmentationSample, EvaluationItem>({
    items: samples,
    batchSize: 1,
    seed: 0,
    shuffle: false,
    load: async ({ image, label }) => {
      const [prepared, labels] = await Promise.all([prepareEvaluation(image, transform), readLabels(label, coding)]);
      requireSameSize(label, labels, prepared.original);
      return { ...prepared, image, label, labels };
    },
  });
  for await (const { samples: items } of loader.batches(signal === undefined ? {} : { signal })) yield items[0]!;
}

/** Beside this file: TypeScript inside the workspace, JavaScript when installed. */
const workerFile = () => join(__dirname, `prepare-worker${extname(__filename)}`);
