/** Convolutions against a plain loop, and their gradients, on every engine. */
import * as tf from '@tensorflow/tfjs-core';
import { conv2d, depthwiseConv2d, type ConvOptions } from './index';
import { checkGradients, expectClose, expectNoLeaks, onEngines, wavesTensor } from '@pyramidal/testing';

type Sides = readonly [readonly [number, number], readonly [number, number]];

/** The definition, term by term; `groups` is 1 or the number of channels. */
function reference(x: tf.Tensor4D, filter: tf.Tensor4D, options: ConvOptions, depthwise: boolean): number[] {
  const { stride, padding, dilation = 1 } = options;
  const sides: Sides =
    typeof padding === 'number'
      ? [
          [padding, padding],
          [padding, padding],
        ]
      : padding;
  const [n, h, w, channels] = x.shape;
  const [kh, kw, inputs, outputs] = filter.shape;
  const out = (size: number, [a, b]: readonly [number, number], k: number): number =>
    Math.floor((size + a + b - dilation * (k - 1) - 1) / stride) + 1;
  const [oh, ow] = [out(h, sides[0], kh), out(w, sides[1], kw)];
  const [values, taps] = [x.dataSync(), filter.dataSync()];
  const result: number[] = [];
  for (let b = 0; b < n; b++)
    for (let i = 0; i < oh; i++)
      for (let j = 0; j < ow; j++)
        for (let o = 0; o < (depthwise ? channels : outputs); o++) {
          let sum = 0;
          for (let p = 0; p < kh; p++)
            for (let q = 0; q < kw; q++) {
              const [row, column] = [i * stride + p * dilation - sides[0][0], j * stride + q * dilation - sides[1][0]];
              if (row < 0 || column < 0 || row >= h || column >= w) continue;
              for (let c = depthwise ? o : 0; c < (depthwise ? o + 1 : inputs); c++) {
                const tap = depthwise ? (p * kw + q) * channels + c : ((p * kw + q) * inputs + c) * outputs + o;
                sum += (values[((b * h + row) * w + column) * channels + c] ?? NaN) * (taps[tap] ?? NaN);
              }
            }
          result.push(sum);
        }
  return result;
}

const cases: [string, number, ConvOptions][] = [
  ['3x3, stride 1, padding 1', 3, { stride: 1, padding: 1 }],
  ['3x3, stride 2, padding 1 on an even side', 3, { stride: 2, padding: 1 }],
  ['5x5, stride 1, padding 2', 5, { stride: 1, padding: 2 }],
  ['7x7, stride 1, padding 3', 7, { stride: 1, padding: 3 }],
  ['3x3, no padding', 3, { stride: 1, padding: 0 }],
  [
    '2x2, stride 2, padding per side',
    2,
    {
      stride: 2,
      padding: [
        [1, 0],
        [0, 1],
      ],
    },
  ],
  ['3x3, dilation 2', 3, { stride: 1, padding: 2, dilation: 2 }],
];

onEngines('convolutions', () => {
  it.each(cases)('%s', async (_, kernel, options) => {
    await expectNoLeaks(() => {
      const x = wavesTensor<tf.Rank.R4>([2, 8, 7, 3]);
      const dense = wavesTensor<tf.Rank.R4>([kernel, kernel, 3, 4], 1);
      const separate = wavesTensor<tf.Rank.R4>([kernel, kernel, 3, 1], 2);
      const y = conv2d(x, dense, options);
      const z = depthwiseConv2d(x, separate, options);
      expectClose(y.dataSync(), reference(x, dense, options, false), { atol: 2e-5 });
      expectClose(z.dataSync(), reference(x, separate, options, true), { atol: 1e-5 });
      tf.dispose([x, dense, separate, y, z]);
    });
  });

  it.each(cases)('%s: gradients as finite differences give them', async (_, kernel, options) => {
    await expectNoLeaks(async () => {
      const x = wavesTensor<tf.Rank.R4>([2, 6, 7, 2]);
      const dense = wavesTensor<tf.Rank.R4>([kernel, kernel, 2, 3], 1);
      const separate = wavesTensor<tf.Rank.R4>([kernel, kernel, 2, 1], 2);
      const tolerance = { samples: 10, rtol: 5e-3, atol: 5e-3 };
      await checkGradients((a, f) => conv2d(a as tf.Tensor4D, f as tf.Tensor4D, options), [x, dense], tolerance);
      await checkGradients(
        (a, f) => depthwiseConv2d(a as tf.Tensor4D, f as tf.Tensor4D, options),
        [x, separate],
        tolerance,
      );
      tf.dispose([x, dense, separate]);
    });
  });

  it('takes a depthwise filter without its last axis', () => {
    tf.tidy(() => {
      const x = wavesTensor<tf.Rank.R4>([1, 5, 5, 3]);
      const filter = wavesTensor<tf.Rank.R3>([3, 3, 3], 2);
      const options = { stride: 1, padding: 1 };
      const same = depthwiseConv2d(x, tf.reshape<tf.Rank.R4>(filter, [3, 3, 3, 1]), options);
      expectClose(depthwiseConv2d(x, filter, options).dataSync(), same.dataSync(), {});
    });
  });
});
