import * as tf from '@tensorflow/tfjs-core';
import { openRuntime } from './open-runtime';

describe('openRuntime', () => {
  it('computes on tensorflow', async () => {
    const runtime = await openRuntime({ engine: 'tensorflow' });
    expect(runtime.versions.tensorflow).toMatch(/^2\./);
    expect(tf.getBackend()).toBe('tensorflow');
    expect(Array.from(tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).dataSync())).toEqual([3, 3, 3, 3]);
  });
});
