/** What the commands share: how a configuration reads, and the network that it describes. */
import { type BackboneFamily, backboneCatalogue } from '@pyramidal/backbones';
import type { Segmentor } from '@pyramidal/upernet';
import type * as tf from '@tensorflow/tfjs-core';
import { assembleSegmentor } from './assemble';
import { type SegmentationConfig, type segmentationSchema, segmentationSchemaOf } from './config';

/** What a project adds of its own. */
export interface OwnSegmentationParts {
  /** Configurations name their sizes like ours. */
  readonly backbones?: readonly BackboneFamily[];
  /**
   * Changes the images of a training step, on the engine and after the configuration's augmentation; static.
   * @param images float32 [N, H, W, 3], normalised. @param seed int32 [2], another in every step. @returns the same shape.
   */
  readonly augment?: (images: tf.Tensor4D, seed: tf.Tensor1D) => tf.Tensor4D;
}

export interface SegmentationDefinition {
  readonly schema: typeof segmentationSchema;
  /** The network that a configuration describes, without values yet. */
  assemble(config: SegmentationConfig, classes: number): Segmentor;
  augment(images: tf.Tensor4D, seed: tf.Tensor1D): tf.Tensor4D;
}

export function segmentationDefinition({ backbones, augment }: OwnSegmentationParts = {}): SegmentationDefinition {
  const catalogue = backboneCatalogue(backbones);
  return {
    schema: segmentationSchemaOf(catalogue.names),
    assemble: (config, classes) => assembleSegmentor(config, classes, catalogue),
    augment: augment ?? ((images) => images),
  };
}
