import { extname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {
  type BatchPosition,
  type BatchRange,
  Loader,
  type LoaderOptions,
  type MixupOptions,
  type Random,
  WorkerPool,
  mixBatch,
} from '@pyramidal/images';
import type { ImageSample } from './image-folder';
import type { PrepareTask } from './prepare-worker';
import { type ImageTransform, prepareImage } from './transform';

export interface ImageBatchesOptions extends Omit<
  LoaderOptions<ImageSample, PreparedSample>,
  'items' | 'load' | 'concurrency'
> {
  readonly samples: readonly ImageSample[];
  /** K, the length of the targets. */
  readonly classes: number;
  readonly transform: ImageTransform;
  /** Mixes the images of each batch and their targets. */
  readonly mix?: MixupOptions;
  /** Threads that prepare images; 0 prepares them in this one. */
  readonly workers: number;
}

interface PreparedSample extends ImageSample {
  readonly pixels: Float32Array;
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
export class ImageBatches {
  private readonly loader: Loader<ImageSample, PreparedSample>;
  private readonly pool: WorkerPool<PrepareTask, Float32Array> | undefined;

  constructor(private readonly options: ImageBatchesOptions) {
    const { samples, transform, workers } = options;
    const pool = workers > 0 ? new WorkerPool<PrepareTask, Float32Array>(workerFile(), workers) : undefined;
    this.pool = pool;
    this.loader = new Loader({
      ...options,
      items: samples,
      concurrency: pool ? Infinity : 4,
      load: async (sample, seed, stopped) => {
        const { file } = sample;
        const pixels = await (pool
          ? pool.run({ file, transform, seed }, stopped)
          : prepareImage(file, transform, seed));
        return { ...sample, pixels };
      },
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
  async *batches(range: BatchRange = {}): AsyncGenerator<ImageBatch, void, void> {
    for await (const { samples, epoch, batch, random } of this.loader.batches(range)) {
      if (samples.length === 0) continue; // every image of it was broken
      yield {
        epoch,
        batch,
        ...this.toTensors(samples, random),
        samples: samples.map(({ file, label }) => ({ file, label })),
      };
    }
  }

  /** Ends the worker threads. */
  async close(): Promise<void> {
    await this.pool?.close();
  }

  private toTensors(samples: readonly PreparedSample[], random: Random) {
    const { classes, transform, mix } = this.options;
    const { size } = transform;
    const pixels = new Float32Array(samples.length * size * size * 3);
    const targets = new Float32Array(samples.length * classes);
    samples.forEach((sample, i) => {
      pixels.set(sample.pixels, i * sample.pixels.length);
      targets[i * classes + sample.label] = 1;
    });
    if (mix) mixBatch({ images: pixels, targets, count: samples.length, width: size, height: size }, mix, random);
    return {
      images: tf.tensor4d(pixels, [samples.length, size, size, 3]),
      targets: tf.tensor2d(targets, [samples.length, classes]),
    };
  }
}

/** Beside this file: TypeScript inside the workspace, JavaScript when installed. */
const workerFile = () => join(__dirname, `prepare-worker${extname(__filename)}`);
