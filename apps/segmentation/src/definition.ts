/** What the commands share: how a configuration reads, and the network that it describes. */
import { classesOf, type SegmentationClass } from '@pyramidal/ade20k';
import { type BackboneFamily, backboneCatalogue } from '@pyramidal/backbones';
import type { ModelClass } from '@pyramidal/training';
import type { Segmentor } from '@pyramidal/upernet';
import type * as tf from '@tensorflow/tfjs-core';
import { assembleSegmentor } from './assemble';
import { type SegmentationConfig, type segmentationSchema, segmentationSchemaOf } from './config';
import { headTable, type HeadTable } from './heads';
import { segmentationClasses, TASK } from './model-classes';

/** What a project adds of its own. */
export interface OwnSegmentationParts {
  /** Configurations name their sizes like ours. */
  readonly backbones?: readonly BackboneFamily[];
  /** By the names that configurations give; their schemas read the other keys of `model.head`. */
  readonly heads?: HeadTable;
  /**
   * Changes the images of a training step, on the engine and after the configuration's augmentation; static.
   * @param images float32 [N, H, W, 3], normalised. @param seed int32 [2], another in every step. @returns the same shape.
   */
  readonly augment?: (images: tf.Tensor4D, seed: tf.Tensor1D) => tf.Tensor4D;
}

export interface SegmentationDefinition {
  /** What checkpoints call the task. */
  readonly task: string;
  readonly schema: typeof segmentationSchema;
  /** The classes alone: those that a checkpoint tells, else those of the data set. */
  open(
    config: SegmentationConfig,
    known?: readonly ModelClass[],
  ): Promise<{ readonly classes: readonly SegmentationClass[] }>;
  /** The network that a configuration describes, without values yet. */
  assemble(config: SegmentationConfig, classes: number): Segmentor;
  augment(images: tf.Tensor4D, seed: tf.Tensor1D): tf.Tensor4D;
}

export function segmentationDefinition({
  backbones,
  heads,
  augment,
}: OwnSegmentationParts = {}): SegmentationDefinition {
  const catalogue = backboneCatalogue(backbones);
  const table = headTable(heads);
  return {
    task: TASK,
    schema: segmentationSchemaOf(catalogue, table),
    open: async ({ data }, known) => ({
      classes: known === undefined ? await classesOf(data.root, data) : segmentationClasses(known),
    }),
    assemble: (config, classes) => assembleSegmentor(config, classes, { backbones: catalogue, heads: table }),
    augment: augment ?? ((images) => images),
  };
}
