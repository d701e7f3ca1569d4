/** Reading of many values on engines that hand them out asynchronously alone. */
import * as tf from '@tensorflow/tfjs-core';

/** Engines whose `dataSync` gives only what was read before. */
const ASYNCHRONOUS: readonly string[] = ['webgpu'];

/** Waits until `dataSync` can give the values of these tensors. They are read here only where it could not. */
export async function fetchValues(tensors: Iterable<tf.Tensor>): Promise<void> {
  if (!ASYNCHRONOUS.includes(tf.getBackend())) return;
  for (const tensor of tensors) await tensor.data();
}
