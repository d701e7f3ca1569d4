/** What the commands share: how a configuration reads, and the network that it describes. */
import type { ImageClass } from '@pyramidal/imagenet';
import { type BackboneFamily, backboneCatalogue } from '@pyramidal/backbones';
import type { Classifier } from '@pyramidal/nn';
import type { ModelClass } from '@pyramidal/training';
import type * as tf from '@tensorflow/tfjs-core';
import { assembleClassifier } from './assemble';
import { type ClassificationConfig, type classificationSchema, classificationSchemaOf } from './config';
import { openClasses } from './data-folder';
import { imageClasses, TASK } from './model-classes';

/** What a project adds of its own. */
export interface OwnClassificationParts {
  /** Configurations name their sizes like ours. */
  readonly backbones?: readonly BackboneFamily[];
  /**
   * Changes the images of a training step, on the engine and after the configuration's augmentation; static.
   * @param images float32 [N, H, W, 3], normalised. @param seed int32 [2], another in every step. @returns the same shape.
   */
  readonly augment?: (images: tf.Tensor4D, seed: tf.Tensor1D) => tf.Tensor4D;
}

export interface ClassificationDefinition {
  /** What checkpoints call the task. */
  readonly task: string;
  readonly schema: typeof classificationSchema;
  /** The classes alone: those that a checkpoint tells, else those of the data set. */
  open(
    config: ClassificationConfig,
    known?: readonly ModelClass[],
  ): Promise<{ readonly classes: readonly ImageClass[] }>;
  /** The network that a configuration describes, without values yet. */
  assemble(config: ClassificationConfig, classes: number): Classifier;
  augment(images: tf.Tensor4D, seed: tf.Tensor1D): tf.Tensor4D;
}

export function classificationDefinition({
  backbones,
  augment,
}: OwnClassificationParts = {}): ClassificationDefinition {
  const catalogue = backboneCatalogue(backbones);
  return {
    task: TASK,
    schema: classificationSchemaOf(catalogue),
    open: async (config, known) => (known === undefined ? openClasses(config) : { classes: imageClasses(known) }),
    assemble: (config, classes) => assembleClassifier(config, classes, catalogue),
    augment: augment ?? ((images) => images),
  };
}
