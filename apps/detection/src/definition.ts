/** What the commands share: how a configuration reads, and the network that it describes. */
import type { DetectionClass } from '@pyramidal/coco';
import { type BackboneFamily, backboneCatalogue } from '@pyramidal/backbones';
import type { Detector } from '@pyramidal/detector';
import type { ModelClass } from '@pyramidal/training';
import type * as tf from '@tensorflow/tfjs-core';
import { assembleDetector } from './assemble';
import { type DetectionConfig, type detectionSchema, detectionSchemaOf } from './config';
import { detectorTable, type DetectorTable } from './detectors';
import { readClasses } from './data';
import { detectionClasses, TASK } from './model-classes';

/** What a project adds of its own. */
export interface OwnDetectionParts {
  /** Configurations name their sizes like ours. */
  readonly backbones?: readonly BackboneFamily[];
  /** By the names that configurations give; their schemas read the other keys of `model.detector`. */
  readonly detectors?: DetectorTable;
  /**
   * Changes the images of a training step, on the engine and after the configuration's augmentation; static.
   * @param images float32 [N, H, W, 3], normalised. @param seed int32 [2], another in every step. @returns the same shape.
   */
  readonly augment?: (images: tf.Tensor4D, seed: tf.Tensor1D) => tf.Tensor4D;
}

export interface DetectionDefinition {
  /** What checkpoints call the task. */
  readonly task: string;
  readonly schema: typeof detectionSchema;
  /** Every detector that a configuration may name. */
  readonly detectors: DetectorTable;
  /** The classes alone: those that a checkpoint tells, else those of the data set. */
  open(
    config: DetectionConfig,
    known?: readonly ModelClass[],
  ): Promise<{ readonly classes: readonly DetectionClass[] }>;
  /** The network that a configuration describes, without values yet. */
  assemble(config: DetectionConfig, classes: number): Detector;
  augment(images: tf.Tensor4D, seed: tf.Tensor1D): tf.Tensor4D;
}

export function detectionDefinition({ backbones, detectors, augment }: OwnDetectionParts = {}): DetectionDefinition {
  const catalogue = backboneCatalogue(backbones);
  const table = detectorTable(detectors);
  return {
    task: TASK,
    schema: detectionSchemaOf(catalogue, table),
    detectors: table,
    open: async (config, known) => ({
      classes: known === undefined ? await readClasses(config) : detectionClasses(known),
    }),
    assemble: (config, classes) => assembleDetector(config, classes, { backbones: catalogue, detectors: table }),
    augment: augment ?? ((images) => images),
  };
}
