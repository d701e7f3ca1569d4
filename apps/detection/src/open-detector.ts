/** A trained detector as a library: images in, objects out. */
import type { Detector } from '@pyramidal/detector';
import type { DetectionClass, PreparedImage } from '@pyramidal/coco';
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
import type { DetectionConfig } from './config';
import { detectionDefinition, type DetectionDefinition, type OwnDetectionParts } from './definition';
import { type DetectedObjects, DetectionWork } from './detection-work';

export interface DetectorOptions extends OpenOptions {
  /** The least score of an object that is told; by default all are that the model finds. */
  readonly minScore?: number;
  /** Backbones and detectors of a project's own, which the checkpoint names. */
  readonly own?: OwnDetectionParts;
}

/** A detector that takes images until it is closed. */
export class TrainedDetector extends TrainedModel<DetectionClass, DetectedObjects> {
  /**
   * Finds the objects of each image: a path, a file's bytes, or pixels.
   * @throws BrokenImageError naming the first image that cannot be read; ClosedError; the signal's reason.
   */
  detect<const Given extends Images>(images: Given, options?: CallOptions): Promise<FoundIn<Given, DetectedObjects>> {
    return this.find(images, options);
  }
}

/**
 * Opens a trained detector.
 * @param weights a checkpoint, the folder of a run, or the bytes of a checkpoint.
 * @throws UsageError, CheckpointError, TrainingError or RuntimeError in one line.
 */
export async function openDetector(
  weights: string | Uint8Array,
  { own, minScore = 0, ...options }: DetectorOptions = {},
): Promise<TrainedDetector> {
  const { data, queue } = await openDetectorModel(detectionDefinition(own), commandOf(weights, options), { minScore });
  return new TrainedDetector(data.classes, queue);
}

type Model = OpenedModel<
  DetectionConfig,
  { readonly classes: readonly DetectionClass[] },
  Detector,
  PreparedImage,
  DetectedObjects
>;

/** The network of a command, and the queue that images take to it; closing the queue disposes of it. */
export const openDetectorModel = (
  definition: DetectionDefinition,
  command: TrainedCommand,
  { minScore = 0, say }: { readonly minScore?: number; readonly say?: (line: string) => void } = {},
): Promise<Model> => openModel(definition, command, (trained) => new DetectionWork(trained, minScore), say);
