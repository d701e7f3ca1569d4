/** Parameters, feature maps and logits against the official implementations. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { inferencePass, LEVELS } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import {
  fillWithGolden,
  type GoldenFormula,
  type GoldenMap,
  goldenTensor,
  nchwToNhwc,
  nhwcIndex,
  readGoldenBackbone,
  samplePositions,
} from '@pyramidal/testing';
import type { VariantName } from './catalogue';
import { createClassifier, VARIANTS } from './create-backbone';

/** Logits and stages of every variant against the official PyTorch code, in float64 unless it says otherwise. */
const report: string[] = [];

/** Those with numbers of official code; MAFormer has none. */
const OFFICIAL = (Object.keys(VARIANTS) as VariantName[]).filter((name) => {
  return existsSync(join(__dirname, '../fixtures', `${name}.json`));
});

it('has numbers of all three families with official code', () => {
  const families = new Set(OFFICIAL.map((name) => name.split('_')[0]));
  expect(OFFICIAL.length).toBeGreaterThanOrEqual(16);
  expect([...families]).toEqual(expect.arrayContaining(['coat', 'groupmixformer', 'smt']));
});

beforeAll(async () => {
  await openRuntime();
});

afterAll(() => {
  process.stdout.write(
    [
      '',
      '| variant | formula | input | C2 | C3 | C4 | C5 | logits |',
      '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ]
      .concat(report, 'Largest error as a share of what is allowed.\n')
      .join('\n'),
  );
});

describe.each(OFFICIAL)('%s', (name) => {
  const golden = readGoldenBackbone(join(__dirname, '../fixtures', `${name}.json`));

  it('has the official parameters, names, shapes and order', () => {
    const classifier = createClassifier(name, golden.config.num_classes);
    const ours = [...classifier.state()].map(([key, { torchShape }]) => [key, torchShape]);
    expect(ours).toEqual(golden.tensors.filter(([key]) => !(key in golden.aliases)));
    expect(Object.fromEntries(classifier.aliases())).toEqual(golden.aliases);
    expect(classifier.parameterCount()).toBe(golden.parameters.classifier);
    expect(classifier.backbone.parameterCount()).toBe(golden.parameters.pyramid_only);
  });

  // Families without position convolutions have nothing to damp.
  const formulas: GoldenFormula[] = golden.cases_damped === undefined ? ['plain'] : ['damped', 'plain'];

  it.each(formulas)('gives the official %s stages and logits', (formula) => {
    const cases = formula === 'damped' ? golden.cases_damped! : golden.cases;
    const classifier = createClassifier(name, golden.config.num_classes);
    fillWithGolden(classifier, formula);
    for (const { input, stages, logits } of cases) {
      const before = tf.memory().numTensors;
      const images = goldenImages(input);
      const pass = inferencePass();
      const pyramid = tf.tidy(() => classifier.backbone.forward(images, pass));
      const shares = LEVELS.map((level, stage) => {
        const [n, channels, height, width] = stages[stage]!.shape;
        expect(pyramid[level].shape).toEqual([n, height, width, channels]);
        expect(classifier.backbone.levels[level].channels).toBe(channels);
        expect(classifier.backbone.mapSizes(input[2]!, input[3]!)[level]).toEqual([height, width]);
        return worstShare(pyramid[level], stages[stage]!, formula);
      });
      const output = tf.tidy(() => classifier.classify(pyramid, pass));
      const rows = output.dataSync();
      const allowed = allowedError(formula, logits);
      const share = Math.max(...logits.first_f64.map((value, k) => Math.abs(rows[k]! - value) / allowed(value)));
      expect(Array.from(tf.tidy(() => tf.argMax(output, 1).dataSync()))).toEqual(logits.argmax);
      const cells = [...shares, share].map((value) => value.toFixed(3));
      report.push(`| ${name} | ${formula} | ${input.join('x')} | ${cells.join(' | ')} |`);
      expect(Math.max(...shares, share)).toBeLessThanOrEqual(1);
      tf.dispose([images, pyramid, output]);
      expect(tf.memory().numTensors).toBe(before);
    }
    classifier.dispose();
  });
});

function goldenImages(shape: readonly number[]): tf.Tensor4D {
  const [n, c, h, w] = shape as [number, number, number, number];
  return tf.tensor4d(nchwToNhwc(goldenTensor('input', shape), shape), [n, h, w, c]);
}

function worstShare(map: tf.Tensor4D, expected: GoldenMap, formula: GoldenFormula): number {
  const values = map.dataSync();
  const allowed = allowedError(formula, expected);
  const positions = samplePositions(values.length, expected.samples_f64.length);
  return Math.max(
    ...expected.samples_f64.map((value, k) => {
      return Math.abs(values[nhwcIndex(positions[k]!, expected.shape)]! - value) / allowed(value);
    }),
  );
}

/** 2e-4 (1 + |s|) where activations stay small; else ten times what float32 cost the reference itself. */
function allowedError(formula: GoldenFormula, { f32_f64_max_abs_diff }: { f32_f64_max_abs_diff: number }) {
  return (value: number): number => (formula === 'damped' ? 2e-4 * (1 + Math.abs(value)) : 10 * f32_f64_max_abs_diff);
}
