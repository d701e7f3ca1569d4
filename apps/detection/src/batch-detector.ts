/** A detector on one batch: what it finds in each image, in the image's own pixels. */
import type { Rle } from '@cocoeval/ts';
import type { Detections, Detector } from '@pyramidal/detector';
import type { Corners } from '@pyramidal/coco';
import { compile } from '@pyramidal/graph';
import type { Size } from '@pyramidal/images';
import { WorkerPool } from '@pyramidal/loading';
import { inferencePass } from '@pyramidal/nn';
import * as tf from '@tensorflow/tfjs-core';
import { compiles } from './assemble';
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

/** What was found in an image, best first. */
export interface ImageDetections {
  readonly detections: readonly Detection[];
  /** Whether its detections have masks, if there are any. */
  readonly hasMasks: boolean;
}

/** Images in one canvas. */
export interface BatchInputs {
  /** Normalised, float32 [N, H, W, 3]. */
  readonly images: tf.Tensor4D;
  /** float32 [N, 2], (height, width) of each within the canvas. */
  readonly sizes: tf.Tensor2D;
  /** Pixels of the canvas per pixel of each image. */
  readonly scales: readonly (readonly [x: number, y: number])[];
}

/** Sizes of batches that get a graph each. */
export const MAX_GRAPHS = 12;

/** Runs a detector on batches; masks are put onto their images by worker threads while the network goes on. */
export class BatchDetector {
  readonly #predict: ReturnType<typeof predictorOf>;
  readonly #compiled: ReturnType<typeof compile<PredictInputs, Predicted>> | undefined;
  readonly #encoders: WorkerPool<[MaskTask], Rle[]>;

  /** @param detector stays the caller's. */
  constructor(detector: Detector, config: DetectionConfig) {
    this.#predict = predictorOf(detector);
    const options = { name: 'predict', maxGraphs: MAX_GRAPHS };
    this.#compiled = compiles(config) ? compile(this.#predict, options) : undefined;
    this.#encoders = new WorkerPool(ENCODE_MASKS, config.data.workers, { firstHere: true });
  }

  /**
   * Runs the network; the tensors stay the caller's.
   * @param isWorthAGraph whether batches of this size come often.
   */
  async run({ images, sizes, scales }: BatchInputs, isWorthAGraph: boolean): Promise<RawDetections[]> {
    const factors = tf.tensor2d(scales.flatMap(([x, y]) => [y, x]), [scales.length, 2]); // prettier-ignore
    const run = isWorthAGraph ? (this.#compiled ?? this.#predict) : this.#predict;
    const predicted = run({ images, sizes, scales: factors });
    try {
      return await Promise.all(scales.map((_, i) => readDetections(predicted, i)));
    } finally {
      tf.dispose([factors, { ...predicted } as tf.TensorContainer]);
    }
  }

  /** What the network found in one image, with masks of the image's size. */
  async finish({ height, width }: Size, { boxes, scores, labels, masks }: RawDetections): Promise<ImageDetections> {
    const encoded = masks && (await this.#encoders.run([{ ...masks, boxes, height, width }]));
    const detections = Array.from(scores, (score, i): Detection => {
      const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4);
      const found = { label: labels[i]!, score, box: [x1!, y1!, x2!, y2!] as const };
      return encoded === undefined ? found : { ...found, mask: encoded[i]! };
    });
    return { detections, hasMasks: encoded !== undefined };
  }

  /** Frees graphs and threads. */
  async close(): Promise<void> {
    this.#compiled?.dispose();
    await this.#encoders.close();
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
export interface RawDetections {
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
