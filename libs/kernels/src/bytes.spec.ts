import * as tf from '@tensorflow/tfjs-core';
import { onEngines } from '@pyramidal/testing';
import { floatsOfBytes, takesBytes } from './bytes';

onEngines(
  'bytes',
  () => {
    it('become the numbers that they are, in their order', () => {
      const bytes = Uint8Array.from({ length: 512 }, (_, i) => (i < 256 ? i : 511 - i));
      tf.tidy(() => {
        const floats = floatsOfBytes(tf.tensor(new Int32Array(bytes.buffer), [2, 4, 16], 'int32'));
        expect(floats.dtype).toBe('float32');
        expect(floats.shape).toEqual([2, 4, 64]);
        expect(Array.from(floats.dataSync())).toEqual(Array.from(bytes));
      });
      expect(takesBytes()).toBe(true);
    });
  },
  ['tensorflow'],
);

onEngines(
  'bytes',
  (engine) => {
    it('are refused where they cannot be taken apart', () => {
      expect(takesBytes()).toBe(false);
      expect(() => tf.tidy(() => floatsOfBytes(tf.zeros([1], 'int32')))).toThrow(
        `bytes: expected a TensorFlow engine, received ${engine}`,
      );
    });
  },
  ['cpu', 'wasm'],
);
