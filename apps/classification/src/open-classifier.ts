/** A trained classifier as a library: images in, their likeliest classes out. */
import type { ImageClass } from '@pyramidal/imagenet';
import type { Classifier } from '@pyramidal/nn';
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
import { ClassificationWork, type ClassifiedImage, type Told } from './classification-work';
import type { ClassificationConfig } from './config';
import { classificationDefinition, type ClassificationDefinition, type OwnClassificationParts } from './definition';

export interface ClassifierOptions extends OpenOptions, Partial<Told> {
  /** Backbones of a project's own, which the checkpoint names. */
  readonly own?: OwnClassificationParts;
}

/** Of every image five classes, however unlikely. */
const TOLD: Told = { top: 5, minProbability: 0 };

/** A classifier that takes images until it is closed. */
export class TrainedClassifier extends TrainedModel<ImageClass, ClassifiedImage> {
  /**
   * Finds the likeliest classes of each image: a path, a file's bytes, or pixels.
   * @throws BrokenImageError naming the first image that cannot be read; ClosedError; the signal's reason.
   */
  classify<const Given extends Images>(images: Given, options?: CallOptions): Promise<FoundIn<Given, ClassifiedImage>> {
    return this.find(images, options);
  }
}

/**
 * Opens a trained classifier.
 * @param weights a checkpoint, the folder of a run, or the bytes of a checkpoint.
 * @throws UsageError, CheckpointError, TrainingError or RuntimeError in one line.
 */
export async function openClassifier(
  weights: string | Uint8Array,
  { own, top = TOLD.top, minProbability = TOLD.minProbability, ...options }: ClassifierOptions = {},
): Promise<TrainedClassifier> {
  const command = commandOf(weights, options);
  const { data, queue } = await openClassifierModel(classificationDefinition(own), command, {
    told: { top, minProbability },
  });
  return new TrainedClassifier(data.classes, queue);
}

type Model = OpenedModel<
  ClassificationConfig,
  { readonly classes: readonly ImageClass[] },
  Classifier,
  Float32Array,
  ClassifiedImage
>;

/** The network of a command, and the queue that images take to it; closing the queue disposes of it. */
export const openClassifierModel = (
  definition: ClassificationDefinition,
  command: TrainedCommand,
  { told = TOLD, say }: { readonly told?: Told; readonly say?: (line: string) => void } = {},
): Promise<Model> => openModel(definition, command, (trained) => new ClassificationWork(trained, told), say);
