/** A detector over the pictures of a dataset, in batches, with results in each picture's own pixels. */
import type { Detector } from '@pyramidal/detector';
import type { DetectionBatch, DetectionSample } from '@pyramidal/coco';
import { evaluationBatchSize } from '@pyramidal/inference';
import type { BatchRange, BatchSource } from '@pyramidal/loading';
import * as tf from '@tensorflow/tfjs-core';
import { plainBatches } from './batches';
import { BatchDetector, type ImageDetections, type RawDetections } from './batch-detector';
import type { DetectionConfig } from './config';

/** An image with what was found in it. */
export interface DetectedImage extends ImageDetections {
  readonly sample: DetectionSample;
}

/** Images of a batch, by its number. */
export interface DetectedBatch {
  readonly number: number;
  readonly value: readonly DetectedImage[];
}

/** Batches that share a canvas make a graph worth its recording from this number on. */
const WORTH_A_GRAPH = 4;

/** A detector that looks at files, prepared in worker threads ahead of it. */
export class ImageDetector {
  readonly #samples: ReadonlyMap<number, DetectionSample>;
  readonly #batches: BatchSource<DetectionBatch>;
  readonly #batchSize: number;
  readonly #detector: BatchDetector;

  /** @param detector stays the caller's. */
  constructor(detector: Detector, config: DetectionConfig, samples: readonly DetectionSample[]) {
    this.#samples = new Map(samples.map((sample) => [sample.id, sample]));
    this.#batchSize = evaluationBatchSize(config);
    this.#batches = plainBatches(config, samples, this.#batchSize);
    this.#detector = new BatchDetector(detector, config);
  }

  /**
   * Finds the objects of every image once, batch by batch; images of one size follow each other.
   * @throws BrokenImageError if an image cannot be decoded; the signal's reason if it aborts.
   */
  async *detect(range: Pick<BatchRange, 'signal' | 'share'> = {}): AsyncGenerator<DetectedBatch, void, void> {
    let ahead: Promise<DetectedBatch> | undefined;
    for await (const batch of this.#batches.batches(range)) {
      const found = await this.#run(batch);
      const detected = this.#finishAll(batch, found);
      detected.catch(() => undefined); // reported when its turn comes
      if (ahead !== undefined) yield await ahead;
      ahead = detected;
    }
    if (ahead !== undefined) yield await ahead;
  }

  /** Frees graphs and threads. */
  async close(): Promise<void> {
    await Promise.all([this.#batches.close(), this.#detector.close()]);
  }

  async #run({ tensors, samples, alike }: DetectionBatch): Promise<RawDetections[]> {
    const { images, sizes } = tensors;
    const isFull = samples.length === this.#batchSize;
    try {
      const scales = samples.map(({ scale }) => scale);
      return await this.#detector.run({ images, sizes, scales }, isFull && alike >= WORTH_A_GRAPH);
    } finally {
      tf.dispose({ ...tensors });
    }
  }

  async #finishAll({ batch, samples }: DetectionBatch, found: readonly RawDetections[]): Promise<DetectedBatch> {
    const images = samples.map(({ id }, i) => this.#finish(this.#samples.get(id)!, found[i]!));
    return { number: batch, value: await Promise.all(images) };
  }

  async #finish(sample: DetectionSample, raw: RawDetections): Promise<DetectedImage> {
    return { sample, ...(await this.#detector.finish(sample, raw)) };
  }
}
