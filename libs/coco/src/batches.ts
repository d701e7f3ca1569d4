import { extname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { type BatchPosition, type BatchRange, Loader, type LoaderOptions, WorkerPool } from '@pyramidal/images';
import { groupByCanvas, sharedCanvas, tightCanvas } from './canvas';
import type { DetectionSample } from './dataset';
import { countBatches, orderByOrientation } from './order';
import { type DetectionTransform, type PreparedSample, prepareSample } from './prepare';
import type { PrepareTask } from './prepare-worker';

export interface DetectionBatchesOptions extends Pick<
  LoaderOptions<DetectionSample, PreparedSample>,
  'batchSize' | 'seed' | 'onBroken' | 'prefetch'
> {
  readonly samples: readonly DetectionSample[];
  readonly transform: DetectionTransform;
  /**
   * A new order every epoch with full batches of one orientation, for training; or every image once, those of one
   * canvas together, for which `scales` is one and nothing is cropped.
   */
  readonly shuffle: boolean;
  /** Threads that prepare images; 0 prepares them in this one. */
  readonly workers: number;
}

/** Tensors of one batch; the caller disposes them. H and W are multiples of 32; G is the number of rows of ground truth. */
export interface DetectionBatch extends BatchPosition {
  readonly tensors: {
    /** Normalised, float32 [N, H, W, 3], padded with zeros at the right and bottom. */
    readonly images: tf.Tensor4D;
    /** float32 [N, 2], (height, width) of each image within the batch. */
    readonly sizes: tf.Tensor2D;
    /** float32 [N, G, 4], xyxy. */
    readonly boxes: tf.Tensor3D;
    /** int32 [N, G], -1 in rows without an object. */
    readonly labels: tf.Tensor2D;
    /** float32 [N, G, side, side], 0 or 1, each over its region. */
    readonly masks: tf.Tensor4D;
    /** float32 [N, G, 4], xyxy. */
    readonly regions: tf.Tensor3D;
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
export class DetectionBatches {
  readonly batchesPerEpoch: number;
  /** Broken images met so far, by name, each with the reason. */
  readonly broken = new Map<string, string>();
  private readonly pool: WorkerPool<PrepareTask, PreparedSample> | undefined;

  constructor(private readonly options: DetectionBatchesOptions) {
    const { samples, batchSize, shuffle, workers } = options;
    if (samples.length === 0) throw new RangeError('DetectionBatches: expected at least one image, received none');
    this.batchesPerEpoch = shuffle
      ? countBatches(samples, batchSize)
      : this.#parts(0).reduce((sum, part) => sum + Math.ceil(part.length / batchSize), 0);
    this.pool = workers > 0 ? new WorkerPool(workerFile(), workers) : undefined;
  }

  /** Batches from a position on (see `Loader.batches`). */
  async *batches({ epoch = 0, batch = 0, untilEpoch = epoch + 1, signal }: BatchRange = {}): AsyncGenerator<
    DetectionBatch,
    void,
    void
  > {
    for (let current = epoch; current < untilEpoch; current++) {
      let skipped = current === epoch ? batch : 0;
      let start = 0;
      for (const part of this.#parts(current)) {
        const loader = this.#loaderOf(part);
        const alike = loader.batchesPerEpoch;
        const position = { epoch: current, untilEpoch: current + 1, batch: Math.min(skipped, alike) };
        for await (const loaded of loader.batches({ ...position, ...(signal && { signal }) })) {
          for (const [file, reason] of loader.broken) this.broken.set(file, reason);
          if (loaded.samples.length === 0) continue; // every image of it was broken
          const samples = loaded.samples.map(({ id, scale }) => ({ id, scale }));
          const tensors = this.#toTensors(loaded.samples);
          yield { epoch: current, batch: start + loaded.batch, tensors, samples, alike };
        }
        skipped = Math.max(0, skipped - alike);
        start += alike;
      }
    }
  }

  /** Ends the worker threads. */
  async close(): Promise<void> {
    await this.pool?.close();
  }

  /** The images of an epoch in their order, in lists that share no batch. */
  #parts(epoch: number): DetectionSample[][] {
    const { samples, transform, shuffle, batchSize, seed } = this.options;
    return shuffle ? [orderByOrientation(samples, batchSize, seed, epoch)] : groupByCanvas(samples, transform);
  }

  #loaderOf(items: readonly DetectionSample[]): Loader<DetectionSample, PreparedSample> {
    const { samples: _, transform, shuffle, ...options } = this.options;
    const { pool } = this;
    return new Loader({
      ...options,
      ...{ items, shuffle: false, replaceBroken: shuffle, concurrency: pool ? Infinity : 4 },
      load: (sample, sampleSeed, stopped) =>
        pool
          ? pool.run({ sample, transform, seed: sampleSeed }, stopped)
          : prepareSample(sample, transform, sampleSeed),
    });
  }

  #toTensors(samples: readonly PreparedSample[]): DetectionBatch['tensors'] {
    const { shuffle, transform } = this.options;
    const { maskSide, maxObjects } = transform;
    const { width, height } = shuffle ? sharedCanvas(samples, transform) : tightCanvas(samples);
    const count = samples.length;
    const isFew = samples.every(({ labels }) => labels.length <= FEW_ROWS);
    const rows = isFew ? Math.min(FEW_ROWS, maxObjects) : maxObjects;
    const cells = maskSide * maskSide;
    const pixels = new Float32Array(count * height * width * 3);
    const boxes = new Float32Array(count * rows * 4);
    const regions = new Float32Array(count * rows * 4);
    const ignored = new Float32Array(count * CROWDS * 4);
    const labels = new Int32Array(count * rows).fill(-1);
    const masks = new Float32Array(count * rows * cells);
    samples.forEach((sample, i) => {
      placeImage(sample, pixels.subarray(i * height * width * 3), width);
      boxes.set(sample.boxes, i * rows * 4);
      regions.set(sample.regions, i * rows * 4);
      ignored.set(sample.ignored.subarray(0, CROWDS * 4), i * CROWDS * 4);
      labels.set(sample.labels, i * rows);
      masks.set(sample.masks, i * rows * cells);
    });
    return {
      images: tf.tensor4d(pixels, [count, height, width, 3]),
      sizes: tf.tensor2d(samples.flatMap((sample) => [sample.height, sample.width]), [count, 2]), // prettier-ignore
      boxes: tf.tensor3d(boxes, [count, rows, 4]),
      labels: tf.tensor2d(labels, [count, rows], 'int32'),
      masks: tf.tensor4d(masks, [count, rows, maskSide, maskSide]),
      regions: tf.tensor3d(regions, [count, rows, 4]),
      ignored: tf.tensor3d(ignored, [count, CROWDS, 4]),
    };
  }
}

function placeImage({ pixels, width, height }: PreparedSample, canvas: Float32Array, canvasWidth: number): void {
  for (let y = 0; y < height; y++) canvas.set(pixels.subarray(y * width * 3, (y + 1) * width * 3), y * canvasWidth * 3);
}

/** Beside this file: TypeScript inside the workspace, JavaScript when installed. */
const workerFile = () => join(__dirname, `prepare-worker${extname(__filename)}`);
