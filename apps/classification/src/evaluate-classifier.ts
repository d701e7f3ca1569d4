import type { ImageBatches } from '@pyramidal/imagenet';
import { type Classifier, inferencePass } from '@pyramidal/nn';
import { compile } from '@pyramidal/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { type ClassificationCounts, ClassificationMetrics } from './classification-metrics';

/** The network as one function from images to logits; disposing it leaves the network alone. */
export interface Predictor {
  /** @returns logits, float32 [N, K], the caller's to dispose. */
  (images: tf.Tensor4D): tf.Tensor2D;
  dispose(): void;
}

export function createPredictor(classifier: Classifier, options: { compile: boolean }): Predictor {
  const forward = ({ images }: { images: tf.Tensor4D }) => ({
    logits: tf.tidy(() => classifier.forward(images, inferencePass())),
  });
  if (!options.compile)
    return Object.assign((images: tf.Tensor4D) => forward({ images }).logits, { dispose: () => {} });
  const compiled = compile(forward, { name: 'predict' });
  return Object.assign((images: tf.Tensor4D) => compiled({ images }).logits, { dispose: () => compiled.dispose() });
}

/** Predicts every image once and counts. */
export async function evaluateClassifier(
  predict: Predictor,
  batches: ImageBatches,
  classes: number,
  signal?: AbortSignal,
): Promise<ClassificationCounts> {
  const metrics = new ClassificationMetrics(classes);
  for await (const { images, targets, samples } of batches.batches(signal === undefined ? {} : { signal })) {
    const logits = predict(images);
    metrics.add(
      (await logits.data()) as Float32Array,
      samples.map(({ label }) => label),
    );
    tf.dispose([images, targets, logits]);
  }
  return metrics.counts();
}
