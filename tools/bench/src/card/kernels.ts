/** Every kernel with inputs for it: its values and its gradients, in toy sizes. */
import { nms } from '@pyramidal/boxes';
import { compile } from '@pyramidal/graph';
import * as kernels from '@pyramidal/kernels';
import { roiAlign } from '@pyramidal/rois';
import * as tf from '@tensorflow/tfjs-core';
import { numbersOf, type Case, type How, type Numbers } from './case';

interface Kernel {
  /** Of the float32 inputs, which get values between -1 and 1. */
  readonly shapes: readonly (readonly number[])[];
  readonly run: (inputs: readonly tf.Tensor[]) => tf.Tensor;
  /** Whether it has a gradient, by all inputs; true unless given. */
  readonly hasGradient?: boolean;
}

/** What is there where there is no card. */
type OfProcessors =
  'hasOwnRoiAlign' | 'inSingleOperations' | 'ownArgMaxOfResized' | 'ownRoiAlign' | 'ownSoftmaxAttention';

/** Bytes, which engines without TensorFlow have nothing to compare with. */
type Bytes = 'floatsOfBytes' | 'takesBytes';

/** The exports of the kernels' package that compute something, the members of two of them by name. */
type KernelName =
  | Exclude<
      keyof typeof kernels,
      'batchNorm' | 'random' | 'overWorkers' | 'inScope' | 'nextFloat32' | OfProcessors | Bytes
    >
  | 'batchNorm.infer'
  | 'batchNorm.train'
  | 'random.uniform'
  | 'random.dropout'
  | 'random.dropPath'
  | 'roiAlign'
  | 'nms';

const [IMAGE, CHANNELS] = [[2, 6, 6, 8], 8];
const VECTOR = [CHANNELS];
const SAME = { stride: 1, padding: 1 } as const;

const image = (x: tf.Tensor | undefined) => x as tf.Tensor4D;
const vector = (x: tf.Tensor | undefined) => x as tf.Tensor1D;
const matrix = (x: tf.Tensor | undefined) => x as tf.Tensor2D;
const seed = () => tf.tensor1d([7, 11], 'int32');
const flags = (shape: [number, number]) => tf.ones<tf.Rank.R2>(shape, 'bool');
/** Two boxes an image of 24 x 24. */
const boxes = () => tf.tensor2d([2, 2, 17, 15, 3, 4, 18, 14, 6, 1, 23, 9, 0.5, 10, 9, 23], [4, 4]);

const KERNELS: Readonly<Record<KernelName, Kernel>> = {
  biasAdd: { shapes: [IMAGE, VECTOR], run: ([x, bias]) => kernels.biasAdd(image(x), vector(bias)) },
  conv2d: {
    shapes: [IMAGE, [3, 3, CHANNELS, 4]],
    run: ([x, filter]) => kernels.conv2d(image(x), image(filter), { stride: 2, padding: 1 }),
  },
  convOfResized: {
    shapes: [IMAGE, [2, 3, 2, 4], [3, 3, CHANNELS + 4, 4]],
    run: ([x, small, filter]) => kernels.convOfResized([image(x), image(small)], image(filter)),
  },
  depthwiseConv2d: {
    shapes: [IMAGE, [5, 5, CHANNELS]],
    run: ([x, filter]) => kernels.depthwiseConv2d(image(x), filter as tf.Tensor3D, { stride: 1, padding: 2 }),
  },
  depthwiseGroups: {
    shapes: [IMAGE, [3, 3, 5, 1], [5], [5, 5, 3, 1], [3]],
    run: ([x, small, smallBias, large, largeBias]) =>
      kernels.depthwiseGroups(image(x), [
        { filter: image(small), bias: vector(smallBias) },
        { filter: image(large), bias: vector(largeBias) },
      ]),
  },
  deformableAttention: {
    shapes: [
      [1, 20, 2, 4],
      [1, 3, 2, 2, 2, 2],
      [1, 3, 2, 2, 2],
    ],
    run: ([values, places, weights]) =>
      kernels.deformableAttention(
        image(values),
        [
          [4, 4],
          [2, 2],
        ],
        tf.add(0.5, tf.mul(0.31, places!)),
        weights as tf.Tensor5D,
      ),
  },
  factorAttention: {
    shapes: [
      [2, 20, 24],
      [2, 20, 8],
    ],
    run: ([qkv, positions]) =>
      kernels.factorAttention(qkv as tf.Tensor3D, { heads: 2, scale: 0.5, positions: () => positions as tf.Tensor3D }),
  },
  gelu: { shapes: [IMAGE], run: ([x]) => kernels.gelu(tf.mul(x!, 4)) },
  groupedProduct: {
    shapes: [[20, 8], [4, 3, 2], [12]],
    run: ([x, weights, bias]) => kernels.groupedProduct(x!, weights as tf.Tensor3D, vector(bias)),
  },
  groupNorm: {
    shapes: [IMAGE, VECTOR, VECTOR],
    run: ([x, scale, offset]) =>
      kernels.groupNorm(image(x), vector(scale), vector(offset), { groups: 2, epsilon: 1e-3 }),
  },
  hardSwish: { shapes: [IMAGE], run: ([x]) => kernels.hardSwish(tf.mul(x!, 4)) },
  layerNorm: {
    shapes: [IMAGE, VECTOR, VECTOR],
    run: ([x, scale, offset]) => kernels.layerNorm(image(x), vector(scale), vector(offset), 1e-3),
  },
  linearSumAssignment: {
    shapes: [[2, 4, 6]],
    run: ([costs]) => kernels.linearSumAssignment(costs as tf.Tensor3D, flags([2, 4]), flags([2, 6])).columnOfRow,
    hasGradient: false,
  },
  recomputed: {
    shapes: [IMAGE],
    run: ([x]) => {
      const twice = (input: tf.Tensor) => tf.tanh(tf.mul(input, 2));
      return kernels.recomputed(x!, { run: twice, runAgain: twice, variables: [] });
    },
  },
  resizeBilinear: {
    shapes: [IMAGE],
    run: ([x]) => kernels.resizeBilinear(image(x), [9, 11], { alignCorners: false }),
  },
  resizeNearest: { shapes: [IMAGE], run: ([x]) => kernels.resizeNearest(image(x), [9, 11]) },
  softmaxCrossEntropy: {
    shapes: [[6, 5]],
    run: ([logits]) =>
      kernels.softmaxCrossEntropy(
        matrix(logits),
        tf.cast<tf.Tensor2D>(tf.oneHot([0, 1, 2, 3, 4, 0], 5) as tf.Tensor2D, 'float32'),
      ),
  },
  sparseSoftmaxCrossEntropy: {
    shapes: [[6, 5]],
    run: ([logits]) => kernels.sparseSoftmaxCrossEntropy(matrix(logits), tf.tensor1d([0, 1, 2, 3, 4, 0], 'int32')),
  },
  sumOfSquares: { shapes: [IMAGE], run: ([x]) => kernels.sumOfSquares(x!), hasGradient: false },
  'batchNorm.infer': {
    shapes: [IMAGE, VECTOR, VECTOR],
    run: ([x, scale, offset]) => {
      const statistics = { mean: tf.fill<tf.Rank.R1>([CHANNELS], 0.2), variance: tf.fill<tf.Rank.R1>([CHANNELS], 0.7) };
      return kernels.batchNorm.infer(x!, {
        ...statistics,
        scale: vector(scale),
        offset: vector(offset),
        epsilon: 1e-3,
      });
    },
  },
  'batchNorm.train': {
    shapes: [IMAGE, VECTOR, VECTOR],
    run: ([x, scale, offset]) => kernels.batchNorm.train(x!, vector(scale), vector(offset), 1e-3).y,
  },
  'random.uniform': {
    shapes: [[1]],
    run: ([x]) => tf.add(kernels.random.uniform<tf.Rank.R2>([8, 8], seed()), tf.mul(x!, 0)),
    hasGradient: false,
  },
  'random.dropout': { shapes: [IMAGE], run: ([x]) => kernels.random.dropout(x!, 0.3, seed()) },
  'random.dropPath': { shapes: [[16, 3]], run: ([x]) => kernels.random.dropPath(x!, 0.3, seed()) },
  roiAlign: {
    shapes: [IMAGE],
    run: ([x]) => {
      const rois = { boxes: boxes(), images: tf.tensor1d([0, 0, 1, 1], 'int32') };
      return roiAlign({ maps: [image(x)], scales: [1 / 4] }, rois, { bins: [3, 3], sampling: 2 });
    },
  },
  nms: {
    shapes: [[4]],
    run: ([scores]) => {
      const { indices, valid } = nms(boxes(), vector(scores), { iouThreshold: 0.5, scoreThreshold: -2, maxOutputs: 4 });
      return tf.mul(tf.add(indices, 1), tf.cast(valid, 'int32'));
    },
    hasGradient: false,
  },
};

/** A convolution and products, for what half width does to them. */
const PRODUCTS: Readonly<Record<string, Kernel>> = {
  convolution: { shapes: [IMAGE, [3, 3, CHANNELS, 4]], run: ([x, f]) => kernels.conv2d(image(x), image(f), SAME) },
  'matrix product': { shapes: [[40, 24], [24, 16]], run: ([a, b]) => tf.matMul(a!, b!) }, // prettier-ignore
  'matrix products in batches': { shapes: [[3, 10, 24], [3, 16, 24]], run: ([a, b]) => tf.matMul(a!, b!, false, true) }, // prettier-ignore
};

export const KERNEL_CASES: readonly Case[] = Object.entries(KERNELS).map(([name, kernel]) => caseOf(name, kernel));

export const PRODUCT_CASES: readonly Case[] = Object.entries(PRODUCTS).map(([name, kernel]) => caseOf(name, kernel));

function caseOf(name: string, kernel: Kernel): Case {
  return { kind: 'kernel', name, run: (how) => runKernel(kernel, how) };
}

async function runKernel({ shapes, run, hasGradient = true }: Kernel, { compiled, precision }: How): Promise<Numbers> {
  const evaluate = (named: tf.NamedTensorMap): tf.NamedTensorMap => {
    const inputs = shapes.map((_, i) => named[`input ${i}`]!);
    const value = run(inputs);
    if (!hasGradient) return { value };
    const weights = wavesOf(value.shape, 9);
    const weighted = (...each: tf.Tensor[]): tf.Tensor => tf.sum(tf.mul(run(each), weights));
    const gradients = tf
      .grads(weighted)([...inputs])
      .map((gradient, i) => [`gradient ${i}`, gradient] as const);
    return { value, ...Object.fromEntries(gradients) };
  };
  const step = compiled ? compile(evaluate, { name: 'kernel', precision }) : undefined;
  try {
    const outputs = tf.tidy(() => {
      const inputs = Object.fromEntries(shapes.map((shape, i) => [`input ${i}`, wavesOf(shape, i)]));
      return step?.(inputs) ?? evaluate(inputs);
    });
    return await numbersOf(outputs);
  } finally {
    step?.dispose();
  }
}

/** Values between -1 and 1 that look random. */
function wavesOf(shape: readonly number[], phase: number): tf.Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1 + phase + 12.9898 * i * i)),
    [...shape],
  );
}
