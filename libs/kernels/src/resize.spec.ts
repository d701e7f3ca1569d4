/** Resizing against PyTorch's definition, and its gradient, on every engine. */
import * as tf from '@tensorflow/tfjs-core';
import { resizeBilinear, resizeNearest } from './index';
import { checkGradients, expectClose, expectNoLeaks, onEngines, wavesTensor } from '@pyramidal/testing';

type Size = readonly [number, number];

/** PyTorch's definition, one output cell at a time. */
function reference(x: tf.Tensor4D, [h, w]: Size, source: (i: number, from: number, to: number) => number): number[] {
  const [n, height, width, channels] = x.shape;
  const values = x.dataSync();
  const result: number[] = [];
  for (let b = 0; b < n; b++)
    for (let i = 0; i < h; i++)
      for (let j = 0; j < w; j++)
        for (let c = 0; c < channels; c++) {
          const at = (row: number, column: number): number =>
            values[((b * height + Math.min(row, height - 1)) * width + Math.min(column, width - 1)) * channels + c] ??
            NaN;
          const [y, z] = [source(i, height, h), source(j, width, w)];
          const [top, left] = [Math.floor(y), Math.floor(z)];
          const [dy, dz] = [y - top, z - left];
          const upper = at(top, left) * (1 - dz) + at(top, left + 1) * dz;
          const lower = at(top + 1, left) * (1 - dz) + at(top + 1, left + 1) * dz;
          result.push(upper * (1 - dy) + lower * dy);
        }
  return result;
}

const SOURCES = {
  aligned: (i: number, from: number, to: number): number => (to > 1 ? (i * (from - 1)) / (to - 1) : 0),
  halfPixel: (i: number, from: number, to: number): number => Math.max(((i + 0.5) * from) / to - 0.5, 0),
  nearest: (i: number, from: number, to: number): number => Math.floor((i * from) / to),
};

const SIZES: Size[] = [
  [8, 10],
  [7, 9],
  [3, 2],
  [4, 5],
  [1, 1],
  [5, 13],
];

onEngines('resizing', () => {
  it.each(SIZES)('from 4 x 5 to %i x %i gives what PyTorch defines', async (h, w) => {
    await expectNoLeaks(() => {
      const x = wavesTensor<tf.Rank.R4>([2, 4, 5, 3]);
      const aligned = resizeBilinear(x, [h, w], { alignCorners: true });
      const half = resizeBilinear(x, [h, w], { alignCorners: false });
      const nearest = resizeNearest(x, [h, w]);
      expectClose(aligned.dataSync(), reference(x, [h, w], SOURCES.aligned), { atol: 5e-6 }, 'aligned');
      expectClose(half.dataSync(), reference(x, [h, w], SOURCES.halfPixel), { atol: 5e-6 }, 'half pixel');
      expectClose(nearest.dataSync(), reference(x, [h, w], SOURCES.nearest), {}, 'nearest');
      tf.dispose([x, aligned, half, nearest]);
    });
  });

  it.each(SIZES)('from 4 x 5 to %i x %i has the gradient that finite differences give', async (h, w) => {
    await expectNoLeaks(async () => {
      const x = wavesTensor<tf.Rank.R4>([2, 4, 5, 2]);
      const exact = { samples: 20, rtol: 2e-3, atol: 1e-3, step: 0.1 };
      await checkGradients((a) => resizeBilinear(a as tf.Tensor4D, [h, w], { alignCorners: true }), [x], exact);
      await checkGradients((a) => resizeBilinear(a as tf.Tensor4D, [h, w], { alignCorners: false }), [x], exact);
      await checkGradients((a) => resizeNearest(a as tf.Tensor4D, [h, w]), [x], exact);
      x.dispose();
    });
  });
});
