import * as tf from '@tensorflow/tfjs-core';
import { expectClose, expectNoLeaks, graphModelFolder, onEngines, openEngine, wavesTensor } from '@pyramidal/testing';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { smallBlock, smallStem, smallWeights } from '../../test-support/small-network';
import { batchNorm, biasAdd, resizeBilinear } from '@pyramidal/kernels';
import { exportGraphModel } from './export-graph-model';
import { GRAPH_MODEL_OPS } from './graph-model-ops';
import type { TensorTree } from '../record/tensor-tree';

interface GraphModel {
  readonly modelTopology: { readonly node: readonly { readonly op: string }[] };
}

onEngines(
  'exportGraphModel',
  () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'graph-model-'))));
    afterEach(async () => {
      await openEngine('tensorflow');
      rmSync(folder, { recursive: true });
    });

    /** What the exported model gives on plain JavaScript. */
    async function loaded(images: tf.Tensor, names: string[]): Promise<tf.backend_util.TypedArray[]> {
      const values = images.dataSync();
      await openEngine('cpu');
      const model = await loadGraphModel(graphModelFolder(folder));
      const outputs = tf.tidy(() => {
        const found = model.execute({ images: tf.tensor(values, images.shape) }, names) as tf.Tensor | tf.Tensor[];
        return [found].flat().map((tensor) => tensor.dataSync());
      });
      model.dispose();
      return outputs;
    }

    it('writes what gives the same numbers on another engine', async () => {
      const weights = smallWeights();
      const network = ({ images }: { images: tf.Tensor4D }): Record<string, tf.Tensor> => {
        const { scale, offset } = weights;
        const x = smallStem(images, weights);
        const statistics = { mean: scale, variance: tf.square(offset), scale: offset, offset: scale, epsilon: 1e-3 };
        const y = batchNorm.infer(biasAdd(x, offset), statistics);
        const z = smallBlock(y, weights);
        const pooled = tf.mean(z, [1, 2]);
        const { values, indices } = tf.topk(pooled, 3);
        const features = resizeBilinear(z, [7, 9], { alignCorners: false });
        return { features, pooled, again: pooled, values, indices };
      };
      const images = wavesTensor<tf.Rank.R4>([2, 10, 12, 3]);
      await expectNoLeaks(() => exportGraphModel(network, { images }, folder));
      const expected = tf.tidy(() =>
        Object.entries(network({ images })).map(([name, y]) => [name, y.dataSync()] as const),
      );
      const outputs = await loaded(
        images,
        expected.map(([name]) => name),
      );
      expected.forEach(([, values], i) => expectClose(outputs[i]!, values, { rtol: 1e-5, atol: 1e-5 }));
      await openEngine('tensorflow');
      tf.dispose([images, weights]);
    });

    it('tells whoever loads it what it was given to tell', async () => {
      const x = tf.tensor1d([1, 2]);
      const metadata = { classes: [{ name: 'cat' }], size: 3 };
      exportGraphModel((inputs: { x: tf.Tensor1D }) => ({ y: tf.neg(inputs.x) }), { x }, folder, { metadata });
      const model = await loadGraphModel(graphModelFolder(folder));
      expect(model.metadata).toEqual(metadata);
      model.dispose();
      x.dispose();
    });

    it('spreads weights over files of 4 MiB', async () => {
      const weights = tf.variable(wavesTensor<tf.Rank.R2>([1500, 1000]));
      const images = wavesTensor<tf.Rank.R2>([1, 1500]);
      const network = (inputs: { images: tf.Tensor2D }): TensorTree => ({ y: tf.matMul(inputs.images, weights) });
      exportGraphModel(network, { images }, folder);
      const files = ['group1-shard1of2.bin', 'group1-shard2of2.bin'];
      expect(readdirSync(folder)).toEqual([...files, 'model.json']);
      const sizes = files.map((file) => statSync(join(folder, file)).size);
      expect(sizes).toEqual([4 * 2 ** 20, 6_000_000 - 4 * 2 ** 20]);
      const expected = tf.tidy(() => tf.matMul(images, weights as tf.Tensor2D).dataSync());
      const [y] = await loaded(images, ['y']);
      expectClose(y!, expected, { rtol: 1e-5, atol: 1e-4 });
      await openEngine('tensorflow');
      tf.dispose([images, weights]);
    });

    it('does what concerns weights alone beforehand', async () => {
      const variance = tf.tidy(() => tf.variable(tf.tensor1d([4, 16])));
      const images = tf.tensor1d([1, 2]);
      const network = (inputs: { images: tf.Tensor1D }): TensorTree => ({
        y: tf.mul(inputs.images, tf.rsqrt(variance)),
      });
      await expectNoLeaks(() => exportGraphModel(network, { images }, folder));
      const { modelTopology } = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as GraphModel;
      expect(modelTopology.node.map(({ op }) => op)).toEqual(['Placeholder', 'Const', 'Mul', 'Identity']);
      const [y] = await loaded(images, ['y']);
      expect(Array.from(y!)).toEqual([0.5, 0.5]);
      await openEngine('tensorflow');
      tf.dispose([images, variance]);
    });

    it('suppresses boxes as TensorFlow does, the threshold itself still being allowed', async () => {
      // The second overlaps the first by exactly a half, the third by more.
      const boxes = tf.tensor2d([[0, 0, 4, 4], [0, 0, 4, 2], [0, 0, 4, 3], [8, 8, 9, 9]]); // prettier-ignore
      const scores = tf.tensor1d([0.9, 0.8, 0.7, 0.6]);
      const network = (inputs: { boxes: tf.Tensor2D; scores: tf.Tensor1D }): TensorTree =>
        tf.image.nonMaxSuppressionPadded(inputs.boxes, inputs.scores, 4, 0.5, 0.1, true) as tf.NamedTensorMap;
      exportGraphModel(network, { boxes, scores }, folder);
      const [corners, values] = [boxes.arraySync(), scores.arraySync()];
      await openEngine('cpu');
      const model = await loadGraphModel(graphModelFolder(folder));
      // It warns that nothing in the model needs to be awaited, which suppression does.
      jest.spyOn(console, 'warn').mockImplementation();
      const inputs = { boxes: tf.tensor2d(corners), scores: tf.tensor1d(values) };
      const outputs = (await model.executeAsync(inputs, ['selectedIndices', 'validOutputs'])) as tf.Tensor[];
      expect(outputs.map((tensor) => Array.from(tensor.dataSync()))).toEqual([[0, 1, 3, 0], [3]]);
      tf.dispose([inputs, outputs]);
      model.dispose();
      await openEngine('tensorflow');
      tf.dispose([boxes, scores]);
    });

    it('refuses a function that changes variables', () => {
      const counter = tf.tidy(() => tf.variable(tf.scalar(0), false, 'graph-model.counter'));
      const count = ({ x }: { x: tf.Tensor }): TensorTree => {
        counter.assign(tf.add(counter, 1));
        return { x };
      };
      tf.tidy(() => {
        expect(() => exportGraphModel(count, { x: tf.scalar(1) }, folder)).toThrow("it changes 'graph-model.counter'");
      });
      counter.dispose();
    });

    it('names the operations that graph models do not have', () => {
      const sums = ({ x }: { x: tf.Tensor1D }): TensorTree => ({
        y: tf.unsortedSegmentSum(x, tf.tensor1d([0, 1, 0], 'int32'), 2),
      });
      tf.tidy(() => {
        expect(() => exportGraphModel(sums, { x: tf.tensor1d([1, 2, 3]) }, folder)).toThrow(
          "expected operations that TensorFlow.js's graph models have, found UnsortedSegmentSum",
        );
      });
      expect(readdirSync(folder)).toEqual([]);
    });
  },
  ['tensorflow'],
);

it('the operations that may be exported are those of the converter', () => {
  const source = readFileSync(require.resolve('@tensorflow/tfjs-converter'), 'utf8');
  const known = new Set(Array.from(source.matchAll(/'tfOpName': '(\w+)'/g), ([, name]) => name));
  expect(known.size).toBeGreaterThan(200);
  expect([...GRAPH_MODEL_OPS].filter((op) => !known.has(op))).toEqual([]);
});
