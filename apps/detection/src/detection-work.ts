/** What a detector does with images of any source: prepared in threads, detected in batches, their objects named. */
import type { Detector } from '@pyramidal/detector';
import {
  type Corners,
  type DetectionClass,
  type ImageTransform,
  PREPARE_IMAGE,
  type PreparedImage,
  stackImages,
  tightCanvas,
} from '@pyramidal/coco';
import { BrokenImageError, type ImageSource, type Size } from '@pyramidal/images';
import { GraphSizes } from '@pyramidal/inference';
import { WorkerPool } from '@pyramidal/loading';
import * as tf from '@tensorflow/tfjs-core';
import { plainTransform } from './assemble';
import { BatchDetector, type Detection, MAX_GRAPHS, type RawDetections } from './batch-detector';
import type { DetectionConfig } from './config';
import { ObjectMask } from './object-mask';

/** An object that was found in an image. */
export interface DetectedObject {
  /** Index into the detector's classes. */
  readonly label: number;
  /** As the data set numbers it. */
  readonly categoryId: number;
  readonly name: string;
  /** From 0 to 1. */
  readonly score: number;
  /** In pixels of the image. */
  readonly box: Corners;
  /** Of detectors that find masks. */
  readonly mask?: ObjectMask;
}

/** What was found in an image, best first. */
export interface DetectedObjects {
  /** Of the image, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly objects: readonly DetectedObject[];
}

/** What it works with. */
interface Parts {
  readonly config: DetectionConfig;
  readonly data: { readonly classes: readonly DetectionClass[] };
  readonly network: Detector;
}

/** A size of batches makes a graph worth its recording when it comes for this time. */
const WORTH_A_GRAPH = 3;

/** The work of a queue; the network stays the caller's. */
export class DetectionWork {
  private readonly detector: BatchDetector;
  private readonly preparing: WorkerPool<Parameters<(typeof PREPARE_IMAGE)['run']>, PreparedImage>;
  private readonly transform: ImageTransform;
  private readonly classes: readonly DetectionClass[];
  private readonly graphSizes = new GraphSizes(MAX_GRAPHS, WORTH_A_GRAPH);

  constructor(
    { config, data, network }: Parts,
    private readonly minScore: number,
  ) {
    this.detector = new BatchDetector(network, config);
    this.preparing = new WorkerPool(PREPARE_IMAGE, config.data.workers, { firstHere: true });
    this.transform = plainTransform(config);
    this.classes = data.classes;
  }

  async prepare(image: ImageSource, name: string): Promise<PreparedImage> {
    try {
      return await this.preparing.run([ownBytes(image), this.transform, name]);
    } catch (error) {
      throw withClass(error);
    }
  }

  /** Images of one canvas: what is padded to an image does not depend on its neighbours. */
  keyOf(prepared: PreparedImage): string {
    const { width, height } = tightCanvas([prepared]);
    return `${width}x${height}`;
  }

  async run(batch: readonly PreparedImage[]): Promise<Promise<DetectedObjects>[]> {
    const tensors = stackImages(batch);
    try {
      const scales = batch.map(({ scale }) => scale);
      const found = await this.detector.run({ ...tensors, scales }, this.graphSizes.takes(tensors.images.shape));
      return batch.map(({ original }, i) => this.finish(original, found[i]!));
    } finally {
      tf.dispose({ ...tensors });
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.detector.close(), this.preparing.close()]);
  }

  private async finish({ width, height }: Size, raw: RawDetections): Promise<DetectedObjects> {
    const { detections } = await this.detector.finish({ width, height }, raw);
    const told = detections.filter(({ score }) => score >= this.minScore);
    return { width, height, objects: told.map((detection) => this.objectOf(detection)) };
  }

  private objectOf({ label, score, box, mask }: Detection): DetectedObject {
    const { categoryId, name } = this.classes[label]!;
    return { label, categoryId, name, score, box, ...(mask && { mask: new ObjectMask(mask) }) };
  }
}

/** A thread is sent the bytes of an image alone, not all of a buffer that it lies in. */
function ownBytes(image: ImageSource): ImageSource {
  const isPart = image instanceof Uint8Array && image.byteLength < image.buffer.byteLength;
  return isPart ? new Uint8Array(image) : image;
}

/** Errors of threads come without their class. */
function withClass(error: unknown): unknown {
  const { name, image, reason } = error as Partial<BrokenImageError>;
  return name === 'BrokenImageError' ? new BrokenImageError(String(image), String(reason)) : error;
}
