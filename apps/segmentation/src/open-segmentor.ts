/** A trained segmentor as a library: images in, the class of each pixel out. */
import type { EvaluationSample, SegmentationClass } from '@pyramidal/ade20k';
import {
  type CallOptions,
  commandOf,
  type FoundIn,
  type Images,
  type OpenedModel,
  openModel,
  type OpenOptions,
  type TrainedCommand,
  TrainedModel,
} from '@pyramidal/inference';
import type { Segmentor } from '@pyramidal/upernet';
import type { SegmentationConfig } from './config';
import { type OwnSegmentationParts, segmentationDefinition, type SegmentationDefinition } from './definition';
import { SegmentationWork, type SegmentedImage } from './segmentation-work';

export interface SegmentorOptions extends OpenOptions {
  /** Backbones and heads of a project's own, which the checkpoint names. */
  readonly own?: OwnSegmentationParts;
}

/** A segmentor that takes images until it is closed. */
export class TrainedSegmentor extends TrainedModel<SegmentationClass, SegmentedImage> {
  /**
   * Finds the class of each pixel of each image: a path, a file's bytes, or pixels.
   * @throws BrokenImageError naming the first image that cannot be read; ClosedError; the signal's reason.
   */
  segment<const Given extends Images>(images: Given, options?: CallOptions): Promise<FoundIn<Given, SegmentedImage>> {
    return this.find(images, options);
  }
}

/**
 * Opens a trained segmentor.
 * @param weights a checkpoint, the folder of a run, or the bytes of a checkpoint.
 * @throws UsageError, CheckpointError, TrainingError or RuntimeError in one line.
 */
export async function openSegmentor(
  weights: string | Uint8Array,
  { own, ...options }: SegmentorOptions = {},
): Promise<TrainedSegmentor> {
  const { data, queue } = await openSegmentorModel(segmentationDefinition(own), commandOf(weights, options));
  return new TrainedSegmentor(data.classes, queue);
}

type Model = OpenedModel<
  SegmentationConfig,
  { readonly classes: readonly SegmentationClass[] },
  Segmentor,
  EvaluationSample,
  SegmentedImage
>;

/** The network of a command, and the queue that images take to it; closing the queue disposes of it. */
export const openSegmentorModel = (
  definition: SegmentationDefinition,
  command: TrainedCommand,
  say?: (line: string) => void,
): Promise<Model> => openModel(definition, command, (trained) => new SegmentationWork(trained), say);
