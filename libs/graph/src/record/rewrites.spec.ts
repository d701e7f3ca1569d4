import * as tf from '@tensorflow/tfjs-core';
import { batchNorm, biasAdd, conv2d, layerNorm } from '@pyramidal/kernels';
import { expectClose, onEngines, waves, wavesTensor } from '@pyramidal/testing';
import { compile } from '../compile';

const SHAPE: [number, number, number, number] = [2, 4, 3, 6];
const CHANNELS = 6;

/** A function of an image, with constants of its own. */
type ImageFunction = (x: tf.Tensor4D) => tf.Tensor;

const vector = (phase: number): tf.Tensor1D => wavesTensor<tf.Rank.R1>([CHANNELS], phase);
const matrix = (): tf.Tensor2D => wavesTensor<tf.Rank.R2>([CHANNELS, CHANNELS]);
const rows = (x: tf.Tensor4D): tf.Tensor2D => tf.reshape(x, [-1, CHANNELS]);
const normRows = <T extends tf.Tensor>(x: T): T => layerNorm(x, vector(1), vector(2), 1e-5);
const convolved: (x: tf.Tensor4D) => tf.Tensor4D = (x) =>
  conv2d(x, wavesTensor<tf.Rank.R4>([3, 3, CHANNELS, CHANNELS]), { stride: 1, padding: 1 });
const normBatch = (x: tf.Tensor4D): tf.Tensor4D =>
  batchNorm.infer(x, {
    mean: vector(1),
    variance: tf.square(vector(2)),
    scale: vector(3),
    offset: vector(4),
    epsilon: 1e-3,
  });

const FUNCTIONS: Readonly<Record<string, ImageFunction>> = {
  'a layer norm of a product': (x) => normRows(tf.matMul(rows(x), matrix())),
  'layer norms of a sum and of its norm': (x) => normRows(normRows(tf.add(x, 1))),
  'a layer norm of a convolution': (x) => normRows(convolved(x)),
  'a batch norm': normBatch,
  'a batch norm of a convolution': (x) => normBatch(convolved(x)),
  'a batch norm of a convolution with bias': (x) => normBatch(biasAdd(convolved(x), vector(5))),
  'an image and a product of its rows': (x) =>
    tf.add(x, tf.reshape(biasAdd(tf.matMul(rows(x), matrix()), vector(1)), SHAPE)),
  'two images in other shapes': (x) =>
    tf.sub(tf.reshape(tf.transpose(x), [6, 24]), tf.reshape(tf.matMul(rows(x), matrix()), [6, 24])),
};

onEngines(
  'a graph',
  () => {
    it.each(Object.entries(FUNCTIONS))('gives the numbers of %s', (_name, fn) => {
      const step = compile(({ x }: { x: tf.Tensor4D }) => ({ y: fn(x) }));
      tf.tidy(() => {
        const x = tf.tensor4d(waves(SHAPE), SHAPE);
        expectClose(step({ x }).y.dataSync(), fn(x).dataSync(), { atol: 1e-5 });
      });
      step.dispose();
    });
  },
  ['tensorflow'],
);
