/** Multiply-adds against those of the official implementations. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { countMultiplyAdds, inferencePass, type MultiplyAdds } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { readGoldenBackbone } from '@pyramidal/testing';
import * as tf from '@tensorflow/tfjs-core';
import type { VariantName } from './catalogue';
import { createClassifier, VARIANTS } from './create-backbone';

beforeAll(async () => {
  await openRuntime();
});

/** Those with numbers of official code; MAFormer has none. */
const OFFICIAL = (Object.keys(VARIANTS) as VariantName[]).filter((name) => {
  return existsSync(join(__dirname, '../fixtures', `${name}.json`));
});

it('has numbers of all three families with official code', () => {
  const families = new Set(OFFICIAL.map((name) => name.split('_')[0]));
  expect(OFFICIAL.length).toBeGreaterThanOrEqual(16);
  expect([...families]).toEqual(expect.arrayContaining(['coat', 'groupmixformer', 'smt']));
});

/**
 * Counted at two small sizes: every count is so much a cell plus so much an image (heads, class tokens).
 */
it.each(OFFICIAL)('%s needs the multiply-adds of the reference', (name) => {
  const { config, multiply_adds } = readGoldenBackbone(join(__dirname, '../fixtures', `${name}.json`));
  const classifier = createClassifier(name, config.num_classes);
  for (const parameter of classifier.state().values()) parameter.assignTorch(new Float32Array(parameter.size));
  const [once, twice] = [countAt(32), countAt(64)];
  const at224 = (kind: keyof MultiplyAdds): number => {
    return once[kind] + (twice[kind] - once[kind]) * ((224 / 32) ** 2 - 1);
  };
  expect(at224('conv')).toBe(multiply_adds.conv);
  expect(at224('linear')).toBe(multiply_adds.linear);
  expect(classifier.backbone.attentionMultiplyAdds(224, 224)).toBe(multiply_adds.attention_matmul);
  classifier.dispose();

  function countAt(width: number): MultiplyAdds {
    return countMultiplyAdds(() => classifier.forward(tf.zeros([1, 32, width, 3]), inferencePass()));
  }
});
