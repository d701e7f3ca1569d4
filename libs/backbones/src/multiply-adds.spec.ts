import { join } from 'node:path';
import { countMultiplyAdds, inferencePass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { readGoldenBackbone } from '@pyramidal/testing';
import * as tf from '@tensorflow/tfjs-core';
import { createClassifier, VARIANTS, type VariantName } from './variants';

beforeAll(async () => {
  await openRuntime({ engine: 'wasm' });
});

/** Counted at a small size and compared per cell: every count but the head's is proportional to the number of cells. */
it.each(Object.keys(VARIANTS) as VariantName[])('%s needs the multiply-adds of the reference', (name) => {
  const { config, multiply_adds } = readGoldenBackbone(join(__dirname, '../fixtures', `${name}.json`));
  const classifier = createClassifier(name, config.num_classes);
  for (const parameter of classifier.state().values()) parameter.assignTorch(new Float32Array(parameter.size));
  const [side, full] = [32, 224];
  const { conv, linear } = countMultiplyAdds(() => {
    return classifier.forward(tf.zeros([1, side, side, 3]), inferencePass());
  });
  const head = classifier.backbone.levels.C5.channels * config.num_classes;
  const scale = (full / side) ** 2;
  expect(conv * scale).toBe(multiply_adds.conv);
  expect((linear - head) * scale + head).toBe(multiply_adds.linear);
  expect(classifier.backbone.attentionMultiplyAdds(full, full)).toBe(multiply_adds.attention_matmul);
  classifier.dispose();
});
