/** A forward pass as one function of images, compiled where the configuration says so. */
import { compile } from '@pyramidal/graph';
import * as tf from '@tensorflow/tfjs-core';

/** A network as one function of images; disposing it leaves the network alone. */
export interface Predictor<T extends tf.Tensor> {
  /** @param images float32 [N, H, W, 3], normalised. @returns logits, the caller's to dispose. */
  (images: tf.Tensor4D): T;
  dispose(): void;
}

/** Makes a forward pass run as one graph where `compile` says so; every size of images gets a graph of its own. */
export function createPredictor<T extends tf.Tensor>(
  forward: (images: tf.Tensor4D) => T,
  options: { readonly compile: boolean },
): Predictor<T> {
  const predict = ({ images }: { images: tf.Tensor4D }) => ({ logits: tf.tidy(() => forward(images)) });
  if (!options.compile)
    return Object.assign((images: tf.Tensor4D) => predict({ images }).logits, { dispose: () => {} });
  const compiled = compile(predict, { name: 'predict' });
  return Object.assign((images: tf.Tensor4D) => compiled({ images }).logits, { dispose: () => compiled.dispose() });
}
