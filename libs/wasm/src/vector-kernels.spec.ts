import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { expectClose } from '@pyramidal/testing';
import { compileKernels } from '../wasm/compile';
import { openWasm } from './open-wasm';
import { KERNELS, SHARED_KERNELS } from './vector-kernels-wasm';

describe('the vector kernels', () => {
  it.each([
    [false, KERNELS],
    [true, SHARED_KERNELS],
  ])('are wasm/assembly, compiled (memory shared: %s)', (shared, kernels) => {
    expect(compileKernels({ shared }).toString('base64')).toBe(kernels);
  });

  it('compute in the memory that threads share, also when that has grown', async () => {
    const { threads } = await openWasm({ threads: 2 });
    expect(threads).toBe(2);
    const convolve = (): Float32Array =>
      tf.tidy(() => {
        const x = tf.sin(tf.reshape(tf.range(0, 2 * 9 * 8 * 20), [2, 9, 8, 20])) as tf.Tensor4D;
        const filter = tf.cos(tf.reshape(tf.range(0, 980), [7, 7, 20, 1])) as tf.Tensor4D;
        return tf.depthwiseConv2d(x, filter, 1, 'same').dataSync<'float32'>();
      });
    const before = convolve();
    const large = tf.zeros([64, 2 ** 20]); // 256 MiB: the memory begins with 16
    expect(convolve()).toEqual(before);
    large.dispose();
    await tf.setBackend('cpu');
    expectClose(before, convolve(), { atol: 1e-5 });
  });
});
