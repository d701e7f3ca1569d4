import { extname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { type BatchPosition, type BatchRange, Loader, type LoaderOptions, WorkerPool } from '@pyramidal/images';
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
  /** A new order every epoch with batches of one orientation, for training; or every image once, in order. */
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
}

/** Sides of a batch are multiples of it, the coarsest stride of a backbone. */
const PADDING = 32;

/** Fewest rows of objects and of crowds; more come in powers of two, so that a compiled step meets few shapes. */
const MIN_ROWS = 16;
const MIN_CROWDS = 4;

/** Batches of a dataset: prepared in worker threads, read ahead, in the order that the seed fixes. */
export class DetectionBatches {
  readonly batchesPerEpoch: number;
  private readonly pool: WorkerPool<PrepareTask, PreparedSample> | undefined;

  constructor(private readonly options: DetectionBatchesOptions) {
    const { samples, batchSize, shuffle, workers } = options;
    if (samples.length === 0) throw new RangeError('DetectionBatches: expected at least one image, received none');
    this.batchesPerEpoch = shuffle ? countBatches(samples, batchSize) : Math.ceil(samples.length / batchSize);
    this.pool = workers > 0 ? new WorkerPool(workerFile(), workers) : undefined;
  }

  /** Batches from a position on (see `Loader.batches`). */
  async *batches({ epoch = 0, batch = 0, untilEpoch = epoch + 1, signal }: BatchRange = {}): AsyncGenerator<
    DetectionBatch,
    void,
    void
  > {
    for (let current = epoch; current < untilEpoch; current++) {
      const first = current === epoch ? batch : 0;
      const range = { epoch: current, batch: first, untilEpoch: current + 1, ...(signal && { signal }) };
      for await (const loaded of this.#loaderOf(current).batches(range)) {
        if (loaded.samples.length === 0) continue; // every image of it was broken
        const samples = loaded.samples.map(({ id, scale }) => ({ id, scale }));
        yield { epoch: current, batch: loaded.batch, tensors: this.#toTensors(loaded.samples), samples };
      }
    }
  }

  /** Ends the worker threads. */
  async close(): Promise<void> {
    await this.pool?.close();
  }

  #loaderOf(epoch: number): Loader<DetectionSample, PreparedSample> {
    const { samples, transform, shuffle, batchSize, seed, ...options } = this.options;
    const items = shuffle ? orderByOrientation(samples, batchSize, seed, epoch) : samples;
    const { pool } = this;
    return new Loader({
      ...options,
      ...{ items, batchSize, seed, shuffle: false, concurrency: pool ? Infinity : 4 },
      load: (sample, sampleSeed, stopped) =>
        pool
          ? pool.run({ sample, transform, seed: sampleSeed }, stopped)
          : prepareSample(sample, transform, sampleSeed),
    });
  }

  #toTensors(samples: readonly PreparedSample[]): DetectionBatch['tensors'] {
    const { maskSide } = this.options.transform;
    const { width, height } = canvasOf(samples, this.options);
    const count = samples.length;
    const rows = rowsFor(Math.max(...samples.map(({ labels }) => labels.length)), MIN_ROWS);
    const crowds = rowsFor(Math.max(...samples.map(({ ignored }) => ignored.length / 4)), MIN_CROWDS);
    const cells = maskSide * maskSide;
    const pixels = new Float32Array(count * height * width * 3);
    const boxes = new Float32Array(count * rows * 4);
    const regions = new Float32Array(count * rows * 4);
    const ignored = new Float32Array(count * crowds * 4);
    const labels = new Int32Array(count * rows).fill(-1);
    const masks = new Float32Array(count * rows * cells);
    samples.forEach((sample, i) => {
      placeImage(sample, pixels.subarray(i * height * width * 3), width);
      boxes.set(sample.boxes, i * rows * 4);
      regions.set(sample.regions, i * rows * 4);
      ignored.set(sample.ignored, i * crowds * 4);
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
      ignored: tf.tensor3d(ignored, [count, crowds, 4]),
    };
  }
}

/** In training one canvas for wide images and one for tall ones, which fit all scales; else the smallest that holds them. */
function canvasOf(
  samples: readonly PreparedSample[],
  { shuffle, transform }: DetectionBatchesOptions,
): { width: number; height: number } {
  const rounded = (side: number): number => Math.ceil(side / PADDING) * PADDING;
  const width = Math.max(...samples.map((sample) => sample.width));
  const height = Math.max(...samples.map((sample) => sample.height));
  if (!shuffle) return { width: rounded(width), height: rounded(height) };
  const shortest = Math.max(...transform.scales.map((scale) => scale.shortest));
  const longest = Math.max(...transform.scales.map((scale) => scale.longest));
  const [wide, tall] = height > width ? [shortest, longest] : [longest, shortest];
  // A crop may stand the other way than its image.
  return { width: rounded(Math.max(wide, width)), height: rounded(Math.max(tall, height)) };
}

function rowsFor(count: number, fewest: number): number {
  let rows = fewest;
  while (rows < count) rows *= 2;
  return rows;
}

function placeImage({ pixels, width, height }: PreparedSample, canvas: Float32Array, canvasWidth: number): void {
  for (let y = 0; y < height; y++) canvas.set(pixels.subarray(y * width * 3, (y + 1) * width * 3), y * canvasWidth * 3);
}

/** Beside this file: TypeScript inside the workspace, JavaScript when installed. */
const workerFile = () => join(__dirname, `prepare-worker${extname(__filename)}`);
