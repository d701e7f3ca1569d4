/** What a detector is: backbone, neck and heads behind one loss and one prediction, and how a configuration makes one. */
import type * as tf from '@tensorflow/tfjs-core';
import { type Backbone, type ForwardPass, LEVELS, Module, type Neck } from '@pyramidal/nn';
import type { z } from 'zod';
import type { Detections } from './detections';
import type { DrawKeys } from './draw-keys';
import type { TruthBatch } from './truth';

/** A batch of images as detectors take it. */
export interface ImageBatch {
  /** float32 [N, H, W, 3], normalised, padded at the right and bottom. */
  readonly images: tf.Tensor4D;
  /** float32 [N, 2], (height, width) of each image within the batch. */
  readonly sizes: tf.Tensor2D;
}

/** The losses of a batch, part by part, and figures to watch. */
export type DetectionLosses = {
  /** What to minimise. */
  readonly loss: tf.Scalar;
} & Readonly<Record<string, tf.Scalar>>;

/** Finds the boxes of objects, and their masks if it has a mask branch, in the maps that a neck makes of a pyramid. */
export abstract class Detector extends Module {
  /**
   * @param maskSide cells along each axis of the ground truth masks that it learns from; none for boxes alone.
   */
  constructor(
    readonly backbone: Backbone,
    readonly neck: Neck,
    readonly maskSide?: number,
  ) {
    super();
  }

  /** Whether its detections have masks; otherwise it takes no masks to learn from. */
  get predictsMasks(): boolean {
    return this.maskSide !== undefined;
  }

  /**
   * Losses of a batch; static, so that a whole training step compiles.
   * @param drawKeys decides which boxes are learned from, where a detector samples them.
   * @throws Error if it learns masks and the ground truth has none.
   */
  abstract loss(batch: ImageBatch, truth: TruthBatch, drawKeys: DrawKeys, pass: ForwardPass): DetectionLosses;

  /**
   * Detections of every image, their boxes in pixels of the original images.
   * @param scales float32 [N, 2], (y, x): sides of the network's input over those of the original image.
   */
  abstract predict(batch: ImageBatch, scales: tf.Tensor2D, pass: ForwardPass): Detections[];

  /** The neck's maps, float32 [N, H, W, channels] each, finest first. @param images float32 [N, H, W, 3]. */
  protected pyramid(images: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D[] {
    const pyramid = this.backbone.forward(images, pass);
    return this.neck.forward(LEVELS.map((level) => pyramid[level]));
  }
}

/** What a configuration builds a detector from, besides its own settings. */
export interface DetectorParts {
  readonly backbone: Backbone;
  /** Width of the neck's maps. */
  readonly neckChannels: number;
  /** Number of object classes, which is the data's. */
  readonly classes: number;
}

/** A detector that a configuration can name: the schema of its settings, and how these make one. */
export interface DetectorDefinition<S extends z.ZodObject = z.ZodObject> {
  /** Whether what it makes predicts masks, and so learns them. */
  readonly predictsMasks: boolean;
  readonly schema: S;
  readonly create: (settings: z.output<S>, parts: DetectorParts) => Detector;
}
