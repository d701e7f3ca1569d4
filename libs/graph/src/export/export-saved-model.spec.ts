import * as tf from '@tensorflow/tfjs-core';
import { expectClose, onEngines, wavesTensor } from '@pyramidal/testing';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { smallBlock, smallStem, smallWeights } from '../../test-support/small-network';
import { exportSavedModel } from './export-saved-model';

onEngines(
  'SavedModels',
  () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'export-saved-model-'))));
    afterEach(() => rmSync(folder, { recursive: true }));

    it('are refused of a function that changes variables', () => {
      const counter = tf.tidy(() => tf.variable(tf.scalar(0), false, 'export-saved-model.counter'));
      const count = ({ x }: { x: tf.Tensor }): { x: tf.Tensor } => {
        counter.assign(tf.add(counter, 1));
        return { x };
      };
      tf.tidy(() => {
        expect(() => exportSavedModel(count, { x: tf.scalar(1) }, folder)).toThrow(
          "it changes 'export-saved-model.counter'",
        );
      });
      counter.dispose();
    });

    const python = process.env['PYRAMIDAL_PYTHON'];
    const withPython = python === undefined ? it.skip : it;
    withPython('give Python TensorFlow the same numbers (skipped without PYRAMIDAL_PYTHON)', () => {
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
