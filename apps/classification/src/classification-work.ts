/** What a classifier does with images of any source: prepared, and ranked in batches. */
import { type ImageClass, type ImageTransform, prepareImage } from '@pyramidal/imagenet';
import type { ImageSource } from '@pyramidal/images';
import type { Classifier } from '@pyramidal/nn';
import type { Predictor } from '@pyramidal/inference';
import * as tf from '@tensorflow/tfjs-core';
import { evaluationTransform } from './assemble';
import { requireNumbers, topClasses } from './classification-metrics';
import type { ClassificationConfig } from './config';
import { classifierPredictor } from './evaluate-classifier';

/** One of an image's likeliest classes. */
export interface Ranked {
  /** Index into the classifier's classes. */
  readonly label: number;
  readonly name: string;
  readonly probability: number;
}

/** What an image may show. */
export interface ClassifiedImage {
  /** The likeliest first. */
  readonly classes: readonly Ranked[];
}

/** Which classes are told. */
export interface Told {
  /** So many of the likeliest. */
  readonly top: number;
  /** The least probability. */
  readonly minProbability: number;
}

/** What it works with. */
interface Parts {
  readonly config: ClassificationConfig;
  readonly data: { readonly classes: readonly ImageClass[] };
  readonly network: Classifier;
}

/** The work of a queue; the network stays the caller's. */
export class ClassificationWork {
  private readonly predict: Predictor<tf.Tensor2D>;
  private readonly transform: ImageTransform;
  private readonly classes: readonly ImageClass[];
  private readonly size: number;

  constructor(
    { config, data, network }: Parts,
    private readonly told: Told,
  ) {
    this.predict = classifierPredictor(network, config.runtime);
    this.transform = evaluationTransform(config);
    this.classes = data.classes;
    this.size = config.input.size;
  }

  prepare(image: ImageSource, name: string): Promise<Float32Array> {
    return prepareImage(image, this.transform, [0], name);
  }

  /** All images have one size. */
  keyOf(): string {
    return 'image';
  }

  /** @param batch float32 [size, size, 3] each, normalised. */
  async run(batch: readonly Float32Array[]): Promise<ClassifiedImage[]> {
    const { size } = this;
    const probabilities = tf.tidy(() => {
      const images = tf.stack(batch.map((pixels) => tf.tensor3d(pixels, [size, size, 3]))) as tf.Tensor4D;
      return tf.softmax(this.predict(images));
    });
    const values = (await probabilities.data()) as Float32Array;
    probabilities.dispose();
    requireNumbers(values.reduce((sum, value) => sum + value, 0));
    const count = values.length / batch.length;
    return batch.map((_, i) => ({ classes: this.rank(values.subarray(i * count, (i + 1) * count)) }));
  }

  async close(): Promise<void> {
    this.predict.dispose();
  }

  private rank(row: Float32Array): Ranked[] {
    const { top, minProbability } = this.told;
    return topClasses(row, top)
      .map((label) => ({ label, name: this.classes[label]!.name, probability: row[label]! }))
      .filter(({ probability }) => probability >= minProbability);
  }
}
