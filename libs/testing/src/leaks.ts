/** Functions checked for tensors that they leave behind. */
import * as tf from '@tensorflow/tfjs-core';

/** Runs `action` and asserts that it leaves as many tensors as it found. */
export async function expectNoLeaks(action: () => unknown): Promise<void> {
  const before = tf.memory().numTensors;
  await action();
  const after = tf.memory().numTensors;
  if (after !== before) throw new Error(`tensors: expected ${before} after the call as before, received ${after}`);
}
