/** Top-1 and top-5 accuracy of a classifier over a split. */
import type { ImageBatch } from '@pyramidal/imagenet';
import { createPredictor, type Predictor } from '@pyramidal/inference';
import type { BatchSource } from '@pyramidal/loading';
import { type Classifier, inferencePass } from '@pyramidal/nn';
import * as tf from '@tensorflow/tfjs-core';
import { type ClassificationCounts, ClassificationMetrics, type ImagePrediction } from './classification-metrics';

/** The network as one function from images to logits, float32 [N, K]. */
export const classifierPredictor = (classifier: Classifier, options: { compile: boolean }): Predictor<tf.Tensor2D> =>
  createPredictor((images) => classifier.forward(images, inferencePass()), options);

/** An image with what was predicted for it. */
export interface PredictedImage extends ImagePrediction {
  readonly file: string;
}

export interface EvaluateOptions {
  readonly signal?: AbortSignal;
  /** Told of every image as it is counted. */
  readonly onImage?: (image: PredictedImage) => void;
}

/** Predicts every image once and counts. */
export async function evaluateClassifier(
  predict: Predictor<tf.Tensor2D>,
  batches: BatchSource<ImageBatch>,
  classes: number,
  { signal, onImage }: EvaluateOptions = {},
): Promise<ClassificationCounts> {
  const metrics = new ClassificationMetrics(classes);
  for await (const { images, targets, samples } of batches.batches(signal === undefined ? {} : { signal })) {
    const logits = predict(images);
    const labels = samples.map(({ label }) => label);
    const predictions = metrics.add((await logits.data()) as Float32Array, labels);
    predictions.forEach((prediction, i) => onImage?.({ ...prediction, file: samples[i]!.file }));
    tf.dispose([images, targets, logits]);
  }
  return metrics.counts();
}
