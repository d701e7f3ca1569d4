/** A training on the WebAssembly engine follows the one on the cpu backend. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expectClose } from '@pyramidal/testing';
import { openWasm } from './open-wasm';

const STEPS = 200;
/** Longer steps leap now and then, and rounding with them. */
const LEARNING_RATE = 0.05;
const CLASSES = 4;
const CHANNELS = 8;

/** Shapes of the parameters of a small network with every kind of layer that the models have. */
const PARAMETERS = {
  stem: [3, 3, 3, CHANNELS],
  scale: [CHANNELS],
  shift: [CHANNELS],
  depthwise: [3, 3, CHANNELS, 1],
  query: [CHANNELS, CHANNELS],
  key: [CHANNELS, CHANNELS],
  value: [CHANNELS, CHANNELS],
  head: [CHANNELS, CLASSES],
} as const;

type Parameters = Record<keyof typeof PARAMETERS, tf.Tensor>;

function batchNorm(x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor): tf.Tensor {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), scale), shift);
}

function linear(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  return tf.matMul(x, tf.tile(tf.expandDims(weight, 0), [x.shape[0]!, 1, 1]));
}

/** Convolution, batch norm, depthwise convolution, attention over all positions, mean, cross entropy. */
function loss(images: tf.Tensor4D, labels: tf.Tensor, p: Parameters): tf.Scalar {
  const stem = tf.conv2d(images, p.stem as tf.Tensor4D, 2, 1);
  const mixed = tf.depthwiseConv2d(
    tf.relu(batchNorm(stem, p.scale, p.shift)) as tf.Tensor4D,
    p.depthwise as tf.Tensor4D,
    1,
    'same',
  );
  const tokens = tf.reshape(mixed, [images.shape[0], -1, CHANNELS]);
  const scores = tf.matMul(linear(tokens, p.query), linear(tokens, p.key), false, true);
  const attended = tf.add(tokens, tf.matMul(tf.softmax(tf.mul(scores, CHANNELS ** -0.5)), linear(tokens, p.value)));
  const logits = tf.matMul(tf.mean(attended, 1), p.head);
  return tf.neg(tf.mean<tf.Scalar>(tf.sum(tf.mul(tf.logSoftmax(logits), labels), 1)));
}

function numbers(shape: readonly number[], start: number): Float32Array {
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
    Math.sin(12.9898 * (i + start) + 78.2),
  );
}

/** Trains by gradient descent on one fixed batch, whose classes differ in contrast; returns the loss of every step and the memory before and after. */
async function train(backend: string) {
  await tf.setBackend(backend);
  const pixels = numbers([4, 8, 8, 3], 0).map((v, i) => v * (1 + Math.floor(i / 192)));
  const images = tf.tensor4d(pixels, [4, 8, 8, 3]);
  const labels = tf.oneHot(tf.tensor1d([0, 1, 2, 3], 'int32'), CLASSES);
  const names = Object.keys(PARAMETERS) as (keyof Parameters)[];
  const variables = names.map((name, k) =>
    tf.variable(
      tf.tensor(
        numbers(PARAMETERS[name], 100 * k).map((v) => v * 0.5),
        [...PARAMETERS[name]],
      ),
    ),
  );
  const losses: number[] = [];
  const memory: number[][] = [];
  for (let step = 0; step < STEPS; step++) {
    const value = tf.tidy(() => {
      const named = Object.fromEntries(names.map((name, k) => [name, variables[k]!])) as unknown as Parameters;
      const { value, grads } = tf.variableGrads(() => loss(images, labels, named), variables);
      for (const variable of variables) variable.assign(tf.sub(variable, tf.mul(grads[variable.name]!, LEARNING_RATE)));
      return value;
    });
    losses.push((await value.data())[0]!);
    value.dispose();
    memory.push([tf.memory().numTensors, tf.memory().numBytes, tf.engine().backend.numDataIds()]);
  }
  tf.dispose([images, labels, ...variables]);
  return { losses, memory };
}

describe('training on the WebAssembly engine', () => {
  it('follows the cpu backend for 200 steps and keeps its memory', async () => {
    await openWasm({ threads: 1 });
    const wasm = await train('wasm');
    const cpu = await train('cpu');
    expectClose(wasm.losses, cpu.losses, { atol: 1e-5 });
    expect(wasm.losses[STEPS - 1]).toBeLessThan(0.6 * wasm.losses[0]!);
    expect(wasm.memory[STEPS - 1]).toEqual(wasm.memory[0]);
  });
});
