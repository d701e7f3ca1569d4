/** Top-1 and top-5 accuracy of a classifier over a split. */
import { gathered, type Numbered, turnOf } from '@pyramidal/distributed';
import type { ImageBatch } from '@pyramidal/imagenet';
import { createPredictor, type Predictor } from '@pyramidal/inference';
import type { BatchSource } from '@pyramidal/loading';
import { type Classifier, inferencePass } from '@pyramidal/nn';
import type { Team } from '@pyramidal/task';
import * as tf from '@tensorflow/tfjs-core';
import {
  type ClassificationCounts,
  ClassificationMetrics,
  type RankedPrediction,
  predictionsOf,
} from './classification-metrics';

/** The network as one function from images to logits, float32 [N, K]. */
export const classifierPredictor = (classifier: Classifier, options: { compile: boolean }): Predictor<tf.Tensor2D> =>
  createPredictor((images) => classifier.forward(images, inferencePass()), options);

/** An image with what was predicted for it. */
export interface PredictedImage extends RankedPrediction {
  readonly file: string;
}

export interface EvaluateOptions {
  readonly signal?: AbortSignal;
  /** The processes that evaluate together. */
  readonly team?: Team;
  /** Told of every image as it is counted. */
  readonly onImage?: (image: PredictedImage) => void;
}

/** Predicts every image once and counts. */
export async function evaluateClassifier(
  predict: Predictor<tf.Tensor2D>,
  batches: BatchSource<ImageBatch>,
  classes: number,
  { signal, team, onImage }: EvaluateOptions = {},
): Promise<ClassificationCounts> {
  async function* predicted(): AsyncGenerator<Numbered<PredictedImage[]>> {
    const range = { ...(signal && { signal }), share: team && turnOf(team) };
    for await (const { images, targets, samples, batch } of batches.batches(range)) {
      const logits = predict(images);
      const labels = samples.map(({ label }) => label);
      const predictions = predictionsOf((await logits.data()) as Float32Array, labels);
      tf.dispose([images, targets, logits]);
      yield { number: batch, value: predictions.map((one, i) => ({ ...one, file: samples[i]!.file })) };
    }
  }
  const metrics = new ClassificationMetrics(classes);
  for await (const images of gathered(team, predicted())) {
    for (const image of images) {
      metrics.count(image);
      onImage?.(image);
    }
  }
  return metrics.counts();
}
