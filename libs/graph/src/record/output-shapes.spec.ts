import * as tf from '@tensorflow/tfjs-core';
import { engineBackend, type EngineBackend } from '@pyramidal/kernels/engine';
import { onEngines, wavesTensor } from '@pyramidal/testing';
import { record } from './record';

type Outputs = Record<string, tf.Tensor>;

const image = (): tf.Tensor4D => wavesTensor<tf.Rank.R4>([2, 9, 12, 6]);
const filter = (k: number): tf.Tensor4D => wavesTensor<tf.Rank.R4>([k, k, 6, 5]);
const vector = (length: number): tf.Tensor1D => wavesTensor<tf.Rank.R1>([length]);

/** A call of each operation that rules tell the shapes of, in all its forms. */
const CALLS: Readonly<Record<string, (x: tf.Tensor4D) => tf.Tensor | tf.Tensor[]>> = {
  'Conv2D, same': (x) => tf.conv2d(x, filter(3), [2, 3], 'same'),
  'Conv2D, valid': (x) => tf.conv2d(x, filter(3), [2, 1], 'valid'),
  'Conv2D, dilated': (x) => tf.conv2d(x, filter(3), 1, 'valid', 'NHWC', [2, 3]),
  'Conv2D, explicit': (x) => tf.conv2d(x, filter(3), 2, [[0, 0], [1, 0], [2, 1], [0, 0]]), // prettier-ignore
  'DepthwiseConv2dNative, same': (x) => tf.depthwiseConv2d(x, wavesTensor<tf.Rank.R4>([3, 3, 6, 2]), 2, 'same'),
  'DepthwiseConv2dNative, valid': (x) => tf.depthwiseConv2d(x, wavesTensor<tf.Rank.R4>([5, 3, 6, 1]), 1, 'valid'),
  AvgPool: (x) => tf.avgPool(x, [3, 2], 2, 'valid'),
  MaxPool: (x) => tf.maxPool(x, 3, 2, 'same'),
  FusedBatchNorm: (x) => tf.batchNorm(x, vector(6), tf.square(vector(6)), vector(6), vector(6)),
  ConcatV2: (x) => tf.concat([x, x, x], 2),
  'ConcatV2, from the end': (x) => tf.concat([x, x], -1),
  SplitV: (x) => tf.split(x, [1, 3, -1], 3),
  'SplitV, alike': (x) => tf.split(x, 3, 2),
  Sum: (x) => tf.sum(x, [1, -1]),
  'Sum, of all': (x) => tf.sum(x),
  'Mean, kept': (x) => tf.mean(x, [1, 2], true),
  Max: (x) => tf.max(x, 3),
  Min: (x) => tf.min(x, 0),
  Prod: (x) => tf.prod(x, 1),
  Any: (x) => tf.any(tf.greater(x, 0), 3),
  All: (x) => tf.all(tf.greater(x, 0), [0, 1], true),
  PadV2: (x) => tf.pad(x, [[0, 0], [1, 2], [3, 0], [0, 0]], 1), // prettier-ignore
  MirrorPad: (x) => tf.mirrorPad(x, [[0, 0], [1, 2], [3, 0], [0, 0]], 'reflect'), // prettier-ignore
  Tile: (x) => tf.tile(x, [1, 2, 1, 3]),
  ResizeBilinear: (x) => tf.image.resizeBilinear(x, [4, 20]),
  ResizeNearestNeighbor: (x) => tf.image.resizeNearestNeighbor(x, [18, 24]),
  CropAndResize: (x) => tf.image.cropAndResize(x, tf.tensor2d([[0, 0, 1, 1]]), tf.tensor1d([0], 'int32'), [4, 7]),
  NonMaxSuppressionV4: (x) => {
    const boxes = tf.reshape<tf.Rank.R2>(tf.slice(x, 0, [1, -1, -1, 4]), [-1, 4]);
    const { selectedIndices, validOutputs } = tf.image.nonMaxSuppressionPadded(
      boxes,
      tf.reshape<tf.Rank.R1>(tf.slice(x, 0, [1, -1, -1, 1]), [-1]),
      ...([7, 0.5, 0, true] as const),
    );
    return [selectedIndices as tf.Tensor, validOutputs as tf.Tensor];
  },
  TopKV2: (x) => {
    const { values, indices } = tf.topk(x, 3);
    return [values, indices];
  },
  GatherV2: (x) => tf.gather(x, tf.tensor2d([[0, 1, 1]], [1, 3], 'int32'), 2),
  GatherNd: (x) => tf.gatherND(x, tf.tensor2d([[0, 1], [1, 2]], [2, 2], 'int32')), // prettier-ignore
  ExpandDims: (x) => tf.expandDims(tf.sum(x, 3), -1),
  Slice: (x) => tf.slice(x, [0, 1, 2, 0], [2, 3, -1, 6]),
  Pack: (x) => tf.stack([x, x], 1),
  Unpack: (x) => tf.unstack(x, 3),
  Select: (x) => tf.where(tf.greater(x, 0), x, tf.neg(x)),
  Cast: (x) => tf.cast(x, 'int32'),
  AddN: (x) => tf.addN([x, x, x]),
  ReverseV2: (x) => tf.reverse(x, 2),
};

onEngines(
  'shapes that are told without running',
  () => {
    it.each(Object.entries(CALLS))('are those that come out: %s', (_, call) => {
      tf.tidy(() => {
        const fn = ({ x }: { x: tf.Tensor }): Outputs => {
          const result = call(x as tf.Tensor4D);
          return Object.fromEntries([result].flat().map((tensor, i) => [String(i), tensor]));
        };
        const x = image();
        const found = fn({ x });
        const backend = engineBackend() as EngineBackend;
        const { binding } = backend;
        const run = jest.fn(binding.executeOp);
        backend.binding = Object.create(binding, { executeOp: { value: run } }) as typeof binding;
        const { outputs } = record(backend, fn, { x }, { name: 'call', precision: 'float32' });
        backend.binding = binding;
        expect(run).not.toHaveBeenCalled();
        const numbers = { float32: binding.TF_FLOAT, int32: binding.TF_INT32, bool: binding.TF_BOOL };
        for (const [name, { shape, dtype }] of Object.entries(found)) {
          const told = outputs[name]!;
          expect([told.shape, told.dtype]).toEqual([shape, numbers[dtype as keyof typeof numbers]]);
        }
      });
    });
  },
  ['tensorflow'],
);
