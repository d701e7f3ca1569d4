/** `npm run bench -- backbones`: size and speed of every published backbone. */
import * as tf from '@tensorflow/tfjs-core';
import { createClassifier, VARIANTS, type VariantName } from '@pyramidal/backbones';
import { type Classifier, countMultiplyAdds, inferencePass } from '@pyramidal/nn';
import { compile } from '@pyramidal/graph';
import { openRuntime } from '@pyramidal/runtime';
import type { Benchmark, BenchRow } from './benchmark';

const SIZE = 224;
const CLASSES = 1000;
const WARM_UPS = 2;
const REPETITIONS = 5;

/** Every variant at one image of 224x224: parameters, multiply-adds and the median time of a forward pass. */
export const backbones: Benchmark = async ({ log }) => {
  const names = Object.keys(VARIANTS) as VariantName[];
  const { engine } = await openRuntime();
  return names.map((name) => {
    const classifier = createClassifier(name, CLASSES);
    classifier.initialize(1);
    const row = { ...timeForward(classifier), case: `${name}, ${sizeOf(classifier)}`, engine };
    classifier.dispose();
    log(`backbones: ${row.case}, ${row.wallMs.toFixed(0)} ms`);
    return row;
  });
};

function sizeOf(classifier: Classifier): string {
  const { conv, linear } = countMultiplyAdds(() => {
    return classifier.forward(tf.zeros([1, SIZE, SIZE, 3]), inferencePass());
  });
  const multiplyAdds = conv + linear + classifier.backbone.attentionMultiplyAdds(SIZE, SIZE);
  return `${(classifier.parameterCount() / 1e6).toFixed(2)} M, ${(multiplyAdds / 1e9).toFixed(3)} G`;
}

function timeForward(classifier: Classifier): Omit<BenchRow, 'case' | 'engine'> {
  const images = tf.randomUniform([1, SIZE, SIZE, 3], -1, 1, 'float32', 1);
  const forward = compile(({ x }: { x: tf.Tensor }) => ({
    logits: classifier.forward(x as tf.Tensor4D, inferencePass()),
  }));
  const run = (): number => {
    const start = performance.now();
    const { logits } = forward({ x: images });
    logits.dataSync();
    logits.dispose();
    return performance.now() - start;
  };
  for (let i = 0; i < WARM_UPS; i++) run();
  const cpuStart = process.cpuUsage();
  const times = Array.from({ length: REPETITIONS }, run).sort((a, b) => a - b);
  const cpuMs = process.cpuUsage(cpuStart).user / 1000 / REPETITIONS;
  forward.dispose();
  images.dispose();
  return {
    mode: 'compiled',
    wallMs: times[Math.floor(REPETITIONS / 2)]!,
    cpuMs,
    peakMB: process.resourceUsage().maxRSS / 1024,
    ratioToPeer: null,
  };
}
