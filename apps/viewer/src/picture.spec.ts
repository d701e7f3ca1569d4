/** Pictures are normalised by the same numbers in every package that states them. */
import * as tf from '@tensorflow/tfjs-core';
import { normalisePixels } from '@pyramidal/backbones';
import { openRuntime } from '@pyramidal/runtime';
import { expectClose } from '@pyramidal/testing';
import { normalised } from './picture';

it('gives the values of normalisePixels in @pyramidal/backbones', async () => {
  await openRuntime({ engine: 'cpu' });
  const data = Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3));
  const expected = normalisePixels(tf.tensor4d(data, [1, 16, 16, 3])).dataSync();
  expectClose(normalised({ width: 16, height: 16, data }), expected, { atol: 1e-6 });
});
