/** A detector over many pictures, in batches, with results in each picture's own pixels. */
import type { Rle } from '@cocoeval/ts';
import type { Detections, Detector } from '@pyramidal/boxes';
import type { Corners, DetectionBatch, DetectionSample } from '@pyramidal/coco';
import { type BatchSource, WorkerPool } from '@pyramidal/loading';
import { inferencePass } from '@pyramidal/nn';
import { compile } from '@pyramidal/graph';
import * as tf from '@tensorflow/tfjs-core';
import { compiles, plainBatches } from './assemble';
import type { DetectionConfig } from './config';
import { ENCODE_MASKS, type MaskTask } from './encode-masks';

export interface Detection {
  /** Index into the classes. */
  readonly label: number;
  readonly score: number;
  /** In pixels of the image. */
  readonly box: Corners;
  /** Of detectors that find them. */
  readonly mask?: Rle;
}

/** An image with what was found in it, best first. */
export interface DetectedImage {
  readonly sample: DetectionSample;
  readonly detections: readonly Detection[];
  /** Whether its detections have masks, if there are any. */
  readonly hasMasks: boolean;
}

/** Batches that share a canvas make a graph worth its recording from this number on. */
const WORTH_A_GRAPH = 4;

/** A detector that looks at files: masks are put onto their images by worker threads while the network goes on. */
export class ImageDetector {
  readonly #samples: ReadonlyMap<number, DetectionSample>;
  readonly #batches: BatchSource<DetectionBatch>;
  readonly #batchSize: number;
  readonly #predict: ReturnType<typeof predictorOf>;
  readonly #compiled: ReturnType<typeof compile<PredictInputs, Predicted>> | undefined;
  readonly #encoders: WorkerPool<[MaskTask], Rle[]>;

  /**
   * @param detector stays the caller's.
   * @param options whether an image that cannot be decoded ends the work, or is noted in `broken` and left out.
   */
  constructor(
    detector: Detector,
    config: DetectionConfig,
    samples: readonly DetectionSample[],
    { onBroken }: { readonly onBroken?: 'fail' | 'skip' } = {},
  ) {
    this.#samples = new Map(samples.map((sample) => [sample.id, sample]));
    this.#batchSize = config.evaluation.batchSize ?? config.train.batchSize;
    this.#batches = plainBatches(config, samples, { batchSize: this.#batchSize, onBroken });
    this.#predict = predictorOf(detector);
    this.#compiled = compiles(config) ? compile(this.#predict, { name: 'predict' }) : undefined;
    this.#encoders = new WorkerPool(ENCODE_MASKS, config.data.workers);
  }

  /** Images that could not be decoded so far, file to reason. */
  get broken(): ReadonlyMap<string, string> {
    return this.#batches.broken;
  }

  /**
   * Finds the objects of every image once; images of one size follow each other.
   * @throws BrokenImageError if an image cannot be decoded and such are not left out; the signal's reason if it aborts.
   */
  async *detect(signal?: AbortSignal): AsyncGenerator<DetectedImage, void, void> {
    let ahead: Promise<DetectedImage[]> | undefined;
    for await (const batch of this.#batches.batches(signal === undefined ? {} : { signal })) {
      const found = await this.#run(batch);
      const images = Promise.all(batch.samples.map(({ id }, i) => this.#finish(this.#samples.get(id)!, found[i]!)));
      images.catch(() => undefined); // reported when its turn comes
      if (ahead !== undefined) yield* await ahead;
      ahead = images;
    }
    if (ahead !== undefined) yield* await ahead;
  }

  /** Frees graphs and threads. */
  async close(): Promise<void> {
    this.#compiled?.dispose();
    await Promise.all([this.#batches.close(), this.#encoders.close()]);
  }

  async #run({ tensors, samples, alike }: DetectionBatch): Promise<RawDetections[]> {
    const scales = tf.tensor2d(samples.flatMap(({ scale: [x, y] }) => [y, x]), [samples.length, 2]); // prettier-ignore
    const inputs = { images: tensors.images, sizes: tensors.sizes, scales };
    const isFull = samples.length === this.#batchSize;
    const run = isFull && alike >= WORTH_A_GRAPH ? (this.#compiled ?? this.#predict) : this.#predict;
    const predicted = run(inputs);
    try {
      return await Promise.all(samples.map((_, i) => readDetections(predicted, i)));
    } finally {
      tf.dispose([{ ...tensors }, scales, { ...predicted } as tf.TensorContainer]);
    }
  }

  async #finish(sample: DetectionSample, { boxes, scores, labels, masks }: RawDetections): Promise<DetectedImage> {
    const { height, width } = sample;
    const encoded = masks && (await this.#encoders.run([{ ...masks, boxes, height, width }]));
    const detections = Array.from(scores, (score, i): Detection => {
      const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4);
      const found = { label: labels[i]!, score, box: [x1!, y1!, x2!, y2!] as const };
      return encoded === undefined ? found : { ...found, mask: encoded[i]! };
    });
    return { sample, detections, hasMasks: encoded !== undefined };
  }
}

type PredictInputs = { images: tf.Tensor4D; sizes: tf.Tensor2D; scales: tf.Tensor2D };

/** Detections of every image of a batch, a list for each part; without masks where the detector finds none. */
type Predicted = Record<'boxes' | 'scores' | 'labels' | 'valid', tf.Tensor[]> & { masks?: tf.Tensor[] };

function predictorOf(detector: Detector) {
  return ({ images, sizes, scales }: PredictInputs): Predicted => {
    const found = detector.predict({ images, sizes }, scales, inferencePass());
    const part = (name: keyof Detections): tf.Tensor[] => found.flatMap((image) => image[name] ?? []);
    const masks = part('masks');
    return {
      boxes: part('boxes'),
      scores: part('scores'),
      labels: part('labels'),
      valid: part('valid'),
      ...(masks.length > 0 && { masks }),
    };
  };
}

/** Parallel lists of one image. */
interface RawDetections {
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly labels: Int32Array;
  readonly masks?: Pick<MaskTask, 'probabilities' | 'side'>;
}

async function readDetections(
  { boxes, scores, labels, valid, masks }: Predicted,
  image: number,
): Promise<RawDetections> {
  const count = (await valid[image]!.data<'bool'>()).reduce((sum, value) => sum + value, 0);
  const first = async <T>(tensor: tf.Tensor): Promise<T> =>
    (await tensor.data()).subarray(0, (count * tensor.size) / tensor.shape[0]!) as T;
  const raw = {
    boxes: await first<Float32Array>(boxes[image]!),
    scores: await first<Float32Array>(scores[image]!),
    labels: await first<Int32Array>(labels[image]!),
  };
  const own = masks?.[image];
  if (own === undefined) return raw;
  return { ...raw, masks: { probabilities: await first<Float32Array>(own), side: own.shape[1]! } };
}
