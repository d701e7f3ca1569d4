import { execFileSync } from 'node:child_process';
import { readdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectClose, expectNoLeaks, onEngines, runOnnx, wavesTensor } from '@pyramidal/testing';
import {
  batchNorm,
  biasAdd,
  conv2d,
  depthwiseConv2d,
  gelu,
  hardSwish,
  layerNorm,
  resizeBilinear,
  resizeNearest,
} from '@pyramidal/kernels';
import * as tf from '@tensorflow/tfjs-core';
import type { TensorTree } from '../record/tensor-tree';
import { freeze } from '../export/freeze';
import { exportOnnxModel } from './export-onnx-model';
import { lowerRecording } from './lower-recording';

type Image = { x: tf.Tensor4D };
type Network = (inputs: Image) => Record<string, tf.Tensor>;

const weights = <R extends tf.Rank>(shape: tf.ShapeMap[R], phase = 1): tf.Tensor<R> => wavesTensor<R>(shape, phase);
const SIDES: [number, number][] = [
  [0, 0],
  [1, 1],
  [1, 1],
  [0, 0],
];

/** Each takes an image [1, 8, 10, 6] and gives what it likes. */
const NETWORKS: Readonly<Record<string, Network>> = {
  'convolutions with every padding': ({ x }) => ({
    same: conv2d(x, weights([3, 3, 6, 4]), { stride: 1, padding: 1 }),
    strided: conv2d(x, weights([3, 3, 6, 4]), { stride: 2, padding: 1 }),
    valid: conv2d(x, weights([2, 2, 6, 4]), { stride: 2, padding: 0 }),
    dilated: conv2d(x, weights([3, 3, 6, 4]), { stride: 1, padding: 2, dilation: 2 }),
    aside: conv2d(x, weights([1, 3, 6, 4]), { stride: 1, padding: [[0, 0], [2, 0]] }), // prettier-ignore
    tensorflow: tf.conv2d(x, weights([3, 3, 6, 4]), 2, 'same'),
  }),
  'depthwise convolutions': ({ x }) => ({
    wide: depthwiseConv2d(x, weights<tf.Rank.R3>([5, 5, 6]), { stride: 1, padding: 2 }),
    strided: depthwiseConv2d(x, weights<tf.Rank.R3>([3, 3, 6]), { stride: 2, padding: 1 }),
    doubled: tf.depthwiseConv2d(x, weights<tf.Rank.R4>([3, 3, 6, 2]), 1, 'same'),
  }),
  'transposed convolutions': ({ x }) => ({
    valid: tf.conv2dTranspose(x, weights([2, 2, 5, 6]), [1, 16, 20, 5], 2, 'valid'),
    same: tf.conv2dTranspose(x, weights([3, 3, 5, 6]), [1, 15, 20, 5], 2, 'same'),
  }),
  pooling: ({ x }) => ({
    max: tf.maxPool(x, 3, 2, 'same'),
    subsampled: tf.maxPool(x, 1, 2, 'valid'),
    mean: tf.avgPool(x, 2, 2, 'valid'),
    meanWithin: tf.avgPool(x, 3, 1, 'same'),
  }),
  resizing: ({ x }) => ({
    half: resizeBilinear(x, [13, 7], { alignCorners: false }),
    aligned: resizeBilinear(x, [13, 7], { alignCorners: true }),
    one: resizeBilinear(x, [1, 1], { alignCorners: true }),
    nearest: resizeNearest(x, [16, 25]),
  }),
  'norms and activations': ({ x }) => {
    const vector = (phase: number): tf.Tensor1D => weights<tf.Rank.R1>([6], phase);
    const statistics = { mean: vector(0), variance: tf.abs(vector(1)), scale: vector(2), offset: vector(3) };
    return {
      layer: layerNorm(x, vector(0), vector(1), 1e-6),
      batch: batchNorm.infer(biasAdd(x, vector(4)), { ...statistics, epsilon: 1e-5 }),
      gelu: gelu(x),
      hardSwish: hardSwish(x),
      relu6: tf.relu6(tf.mul(x, 9)),
      clipped: tf.clipByValue(x, -0.5, 0.25),
      leaky: tf.leakyRelu(x, 0.1),
      softmax: tf.softmax(x),
      logSoftmax: tf.logSoftmax(x),
      others: tf.addN([
        tf.elu(x),
        tf.sigmoid(x),
        tf.tanh(x),
        tf.softplus(x),
        tf.erf(x),
        tf.exp(x),
        tf.rsqrt(tf.abs(x)),
      ]),
    };
  },
  'images that stay channels first': ({ x }) => {
    const y = conv2d(x, weights([3, 3, 6, 6]), { stride: 1, padding: 1 });
    const joined = tf.concat([y, tf.relu(y), tf.mul(y, weights<tf.Rank.R1>([6]))], 3);
    const [head, tail] = tf.split(joined, [4, 14], 3) as [tf.Tensor4D, tf.Tensor4D];
    return {
      residual: tf.add(conv2d(y, weights([1, 1, 6, 6]), { stride: 1, padding: 0 }), x),
      joined,
      head,
      cut: tf.slice(tail, [0, 1, 2, 3], [1, 5, -1, 4]),
      steps: tf.stridedSlice(y, [0, 0, 1, 0], [1, 8, 9, 6], [1, 2, 3, 1]),
      padded: tf.pad(y, SIDES, 0.5),
      mirrored: tf.mirrorPad(y, SIDES, 'symmetric'),
      reflected: tf.mirrorPad(y, SIDES, 'reflect'),
      tiled: tf.tile(y, [1, 2, 1, 3]),
      reversed: tf.reverse(y, [1, 3]),
      mean: tf.mean(y, [1, 2]),
      kept: tf.max(y, 3, true),
      classes: tf.argMax(y, 3),
      rows: tf.sum(tf.reshape(y, [1, 80, 6]), 1),
      normal: tf.softmax(y),
      moved: tf.transpose(y, [0, 3, 1, 2]),
      spread: tf.broadcastTo(tf.mean(y, [1, 2], true), y.shape),
    };
  },
  'products of matrices': ({ x }) => {
    const rows: tf.Tensor3D = tf.reshape(x, [1, 80, 6]);
    const heads = tf.transpose(tf.reshape(rows, [1, 80, 2, 3]), [0, 2, 1, 3]);
    return {
      scores: tf.matMul(heads, heads, false, true),
      values: tf.matMul(tf.softmax(heads), heads, true, false),
      linear: biasAdd(tf.matMul(tf.reshape(rows, [80, 6]), weights<tf.Rank.R2>([6, 5])), weights<tf.Rank.R1>([5])),
    };
  },
  'choices among items': ({ x }) => {
    const row: tf.Tensor1D = tf.reshape(tf.slice(x, [0, 0, 0, 0], [1, 1, 10, 6]), [-1]);
    const { values, indices } = tf.topk(row, 7);
    const isHigh = tf.greater(row, 0.2);
    const table: tf.Tensor2D = tf.reshape(x, [-1, 6]);
    return {
      values,
      indices,
      rows: tf.gatherND(table, tf.expandDims(indices, 1)),
      cells: tf.gatherND(table, tf.stack([indices, tf.mod(indices, tf.scalar(6, 'int32'))], 1)),
      chosen: tf.where(isHigh, row, tf.fill([60], -1)),
      flags: tf.logicalAnd(isHigh, tf.logicalNot(tf.lessEqual(row, 0.7))),
      counts: tf.addN([tf.cast(isHigh, 'int32'), tf.cast(tf.less(row, 0), 'int32')]),
      whole: tf.cast(tf.mul(row, 10), 'int32'),
      parts: tf.addN(tf.unstack(table, 1)),
      stacked: tf.stack(tf.unstack(table, 1).slice(1, 3), 1),
      quotient: tf.divNoNan(row, tf.relu(row)),
      differences: tf.squaredDifference(row, tf.maximum(row, tf.minimum(tf.pow(row, 2), 0.5))),
    };
  },
  'suppression of boxes': ({ x }) => {
    const rows: tf.Tensor2D = tf.reshape(tf.slice(x, [0, 0, 0, 0], [1, 8, 10, 4]), [-1, 4]);
    const corners: tf.Tensor2D = tf.mul(tf.add(rows, 1), 10);
    const [x1, y1, w, h] = tf.split(corners, 4, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    const boxes = tf.concat([x1, y1, tf.add<tf.Tensor2D>(x1, w), tf.add<tf.Tensor2D>(y1, h)], 1);
    const scores: tf.Tensor1D = tf.reshape(tf.slice(x, [0, 0, 0, 4], [1, 8, 10, 1]), [-1]);
    const kept = (most: number): tf.NamedTensorMap =>
      tf.image.nonMaxSuppressionPadded(boxes, scores, most, 0.4, 0.1, true) as tf.NamedTensorMap;
    const [few, all] = [kept(5), kept(80)];
    return { few: few['selectedIndices']!, enough: few['validOutputs']!, all: all['selectedIndices']!, count: all['validOutputs']! }; // prettier-ignore
  },
};

onEngines(
  'exportOnnxModel',
  () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'onnx-'))));
    afterEach(() => rmSync(folder, { recursive: true }));
    const file = (): string => join(folder, 'model.onnx');

    it.each(Object.entries(NETWORKS))('gives the same numbers in ONNX Runtime: %s', async (_name, network) => {
      const x = wavesTensor<tf.Rank.R4>([1, 8, 10, 6]);
      await expectNoLeaks(() => exportOnnxModel(network, { x }, file()));
      const expected = tf.tidy(() =>
        Object.entries(network({ x })).map(([name, y]) => ({ name, shape: y.shape, values: y.dataSync() })),
      );
      const found = await runOnnx(file(), { x });
      x.dispose();
      expect(Object.keys(found)).toEqual(expected.map(({ name }) => name));
      for (const { name, shape, values } of expected) {
        expect({ name, shape: found[name]!.shape }).toEqual({ name, shape });
        expectClose(found[name]!.values, values, { rtol: 1e-5, atol: 1e-5 }, name);
      }
    });

    it('gives as many rows as hold something', async () => {
      const network = ({ x }: { x: tf.Tensor2D }): TensorTree => {
        const scores: tf.Tensor1D = tf.max(x, 1);
        return { scores, rows: tf.mul(x, 2), valid: tf.greater(scores, 0) };
      };
      const x = tf.tensor2d([[1, 2], [0, 3], [-1, -2], [-3, 0]]); // prettier-ignore
      exportOnnxModel(network, { x }, file(), { rows: 'valid' });
      const found = await runOnnx(file(), { x });
      x.dispose();
      expect(Object.keys(found)).toEqual(['scores', 'rows']);
      expect(found['rows']!.shape).toEqual([2, 2]);
      expect(Array.from(found['scores']!.values)).toEqual([2, 3]);
    });

    it('leaves images channels first from convolution to convolution', () => {
      const network = ({ x }: Image): TensorTree => {
        const inner = biasAdd(conv2d(x, weights([3, 3, 6, 6]), { stride: 1, padding: 1 }), weights<tf.Rank.R1>([6]));
        const mixed: tf.Tensor4D = tf.add(tf.mean(inner, [1, 2], true), inner);
        return { y: conv2d(tf.relu(mixed), weights([1, 1, 6, 4]), { stride: 1, padding: 0 }) };
      };
      const x = wavesTensor<tf.Rank.R4>([1, 8, 10, 6]);
      const { nodes } = lowerRecording(freeze(network, { x }, { caller: 'spec', portable: true }));
      x.dispose();
      expect(nodes.map(({ op }) => op)).toEqual(
        ['Transpose', 'Conv', 'Add', 'ReduceMean', 'Add', 'Relu', 'Conv', 'Transpose', 'Identity'], // prettier-ignore
      );
    });

    const python = process.env['PYRAMIDAL_PYTHON'];
    const withPython = python === undefined ? it.skip : it;
    withPython("passes ONNX's own checks (skipped without PYRAMIDAL_PYTHON)", () => {
      const x = wavesTensor<tf.Rank.R4>([1, 8, 10, 6]);
      const names = Object.entries(NETWORKS).map(([name, network]) => {
        const path = join(folder, `${name}.onnx`);
        exportOnnxModel(network, { x }, path, { metadata: { name } });
        return path;
      });
      x.dispose();
      const script = 'import onnx, sys\nfor f in sys.argv[1:]: onnx.checker.check_model(onnx.load(f), full_check=True)';
      execFileSync(python as string, ['-c', script, ...names]);
    });

    it('names the operations that it does not know', () => {
      const sums = ({ x }: { x: tf.Tensor1D }): TensorTree => ({
        y: tf.unsortedSegmentSum(x, tf.tensor1d([0, 1, 0], 'int32'), 2),
      });
      tf.tidy(() => {
        expect(() => exportOnnxModel(sums, { x: tf.tensor1d([1, 2, 3]) }, file())).toThrow(
          'exportOnnxModel: expected operations that are known in ONNX, found UnsortedSegmentSum',
        );
      });
      expect(readdirSync(folder)).toEqual([]);
    });
  },
  ['tensorflow'],
);
