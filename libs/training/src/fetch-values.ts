/** Reading of many values on engines that hand them out asynchronously alone. */
import * as tf from '@tensorflow/tfjs-core';

/** Engines whose `dataSync` gives only what was read before. */
const ASYNCHRONOUS: readonly string[] = ['webgpu'];

/** The values of scalars: in one reading where each would wait for the device, otherwise as they are there. */
export async function readScalars(scalars: readonly tf.Tensor[]): Promise<readonly number[]> {
  if (!ASYNCHRONOUS.includes(tf.getBackend())) return scalars.map((scalar) => scalar.dataSync()[0] ?? NaN);
  const joined = tf.tidy(() => tf.stack([...scalars]) as tf.Tensor1D);
  const values = await joined.array();
  joined.dispose();
  return values;
}

/** Waits until `dataSync` can give the values of these tensors. They are read here only where it could not. */
export async function fetchValues(tensors: Iterable<tf.Tensor>): Promise<void> {
  if (!ASYNCHRONOUS.includes(tf.getBackend())) return;
  for (const tensor of tensors) await tensor.data();
}
