/** The typed contract with native TensorFlow's backend is there on that engine alone. */
import * as tf from '@tensorflow/tfjs-core';
import { hasNative, openEngine } from '@pyramidal/testing';
import { engineBackend, type EngineBackend } from './engine';

describe('engineBackend', () => {
  it.each(['cpu', 'wasm'] as const)('is null on %s', async (engine) => {
    await openEngine(engine);
    expect(engineBackend()).toBeNull();
  });

  const itNative = hasNative() ? it : it.skip;

  itNative('is what native TensorFlow computes with (skipped where it is not installed)', async () => {
    await openEngine('tensorflow');
    const backend = engineBackend() as EngineBackend;
    expect(backend).toBe(tf.backend());
    const { binding } = backend;
    const id = binding.createTensor([2], binding.TF_FLOAT, new Float32Array([1, 2]));
    expect([...binding.tensorDataSync(id)]).toEqual([1, 2]);
    binding.deleteTensor(id);
    expect(binding.recording).toBeUndefined();
  });
});
