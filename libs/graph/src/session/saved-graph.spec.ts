import * as tf from '@tensorflow/tfjs-core';
import { expectClose, expectNoLeaks, onEngines, wavesTensor } from '@pyramidal/testing';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { smallBlock, smallStem, smallWeights } from '../../test-support/small-network';
import { compile } from '../compile';
import { exportSavedModel } from '../export/export-saved-model';

onEngines(
  'graphs on disk',
  () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'saved-graph-'))));
    afterEach(() => rmSync(folder, { recursive: true }));

    it('are used again by the next process, under the same fingerprint', async () => {
      await expectNoLeaks(() => {
        const weights = tf.tidy(() => tf.variable(tf.tensor1d([1, 2]), true, 'saved-graph.weights'));
        let recordings = 0;
        const run = (fingerprint: string): number[] => {
          const fn = ({ x }: { x: tf.Tensor }): { y: tf.Tensor } => {
            recordings++;
            weights.assign(tf.add(weights, x));
            return { y: tf.mul(weights, 2) };
          };
          const step = compile(fn, { name: 'add', saved: { folder, fingerprint } });
          const y = tf.tidy(() => Array.from(step({ x: tf.tensor1d([1, 1]) }).y.dataSync()));
          expect(step.explain()[0]).toMatchObject({ step: 'add', variables: { read: 1, assigned: 1 } });
          step.dispose();
          return y;
        };
        expect([run('a'), run('a')]).toEqual([
          [4, 6],
          [6, 8],
        ]);
        expect(recordings).toBe(1);
        expect(run('b')).toEqual([8, 10]);
        expect(recordings).toBe(2);
        expect(readdirSync(folder)).toHaveLength(2);
        expect(Array.from(weights.dataSync())).toEqual([4, 5]);
        weights.dispose();
      });
    });

    it('exportSavedModel refuses a function that changes variables', () => {
      const counter = tf.tidy(() => tf.variable(tf.scalar(0), false, 'saved-graph.counter'));
      const count = ({ x }: { x: tf.Tensor }): { x: tf.Tensor } => {
        counter.assign(tf.add(counter, 1));
        return { x };
      };
      tf.tidy(() => {
        expect(() => exportSavedModel(count, { x: tf.scalar(1) }, folder)).toThrow("it changes 'saved-graph.counter'");
      });
      counter.dispose();
    });

    const python = process.env['PYRAMIDAL_PYTHON'];
    const withPython = python === undefined ? it.skip : it;
    withPython('exportSavedModel gives Python TensorFlow the same numbers (skipped without PYRAMIDAL_PYTHON)', () => {
      const weights = smallWeights();
      const network = ({ images }: { images: tf.Tensor4D }): { features: tf.Tensor; pooled: tf.Tensor } => {
        const y = smallBlock(smallStem(images, weights), weights);
        return { features: y, pooled: tf.mean(y, [1, 2]) };
      };
      const images = wavesTensor<tf.Rank.R4>([2, 10, 12, 3]);
      exportSavedModel(network, { images }, folder);
      const script = `
import json, sys, numpy, tensorflow as tf
feed = numpy.array(json.load(sys.stdin), dtype=numpy.float32).reshape(2, 10, 12, 3)
outputs = tf.saved_model.load(sys.argv[1]).signatures["serving_default"](images=tf.constant(feed))
print(json.dumps({name: value.numpy().ravel().tolist() for name, value in outputs.items()}))`;
      const answer = execFileSync(python as string, ['-c', script, folder], {
        input: JSON.stringify(Array.from(images.dataSync())),
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      const fromPython = JSON.parse(answer.toString()) as Record<string, number[]>;
      const expected = tf.tidy(() => {
        const { features, pooled } = network({ images });
        return { features: features.dataSync(), pooled: pooled.dataSync() };
      });
      expectClose(fromPython['features'] as number[], expected.features, { rtol: 1e-5, atol: 1e-5 });
      expectClose(fromPython['pooled'] as number[], expected.pooled, { rtol: 1e-5, atol: 1e-5 });
      tf.dispose([images, weights]);
    });
  },
  ['tensorflow'],
);
