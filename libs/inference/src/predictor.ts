/** A forward pass as one function of images, compiled where the configuration says so. */
import { compile } from '@pyramidal/graph';
import * as tf from '@tensorflow/tfjs-core';
import { GraphSizes } from './graph-sizes';

/** A network as one function of images; disposing it leaves the network alone. */
export interface Predictor<T extends tf.Tensor> {
  /** @param images float32 [N, H, W, 3], normalised. @returns logits, the caller's to dispose. */
  (images: tf.Tensor4D): T;
  dispose(): void;
}

/** Graphs of a predictor, one for each size of images. */
const MOST_GRAPHS = 8;

interface PredictorOptions {
  /** Whether it runs as graphs: for every size of images, or for the first large ones alone. */
  readonly compile: boolean | 'large';
}

/** Makes a forward pass run as one graph where `compile` says so; every size of images gets a graph of its own. */
export function createPredictor<T extends tf.Tensor>(
  forward: (images: tf.Tensor4D) => T,
  options: PredictorOptions,
): Predictor<T> {
  const predict = ({ images }: { images: tf.Tensor4D }) => ({ logits: tf.tidy(() => forward(images)) });
  if (options.compile === false)
    return Object.assign((images: tf.Tensor4D) => predict({ images }).logits, { dispose: () => {} });
  const compiled = compile(predict, { name: 'predict', maxGraphs: MOST_GRAPHS });
  const sizes = new GraphSizes(MOST_GRAPHS, Infinity);
  const isCompiled = (images: tf.Tensor4D): boolean => options.compile === true || sizes.takes(images.shape);
  const run = (images: tf.Tensor4D): T => (isCompiled(images) ? compiled : predict)({ images }).logits;
  return Object.assign(run, { dispose: () => compiled.dispose() });
}
