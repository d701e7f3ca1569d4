/** `npm run bench -- memory`: whether a training run keeps its memory. */
import { createClassifier } from '@pyramidal/backbones';
import { crossEntropy, ForwardPass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { adamW, trainStep } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import type { Benchmark } from './benchmark';

const STEPS = 300;
/** Allocators and caches have settled by then. */
const WARM_UP = 50;
const [BATCH, SIZE, CLASSES] = [8, 64, 10];

/** What a training run holds on to: tensors and resident memory over many steps on changing batches. */
export const memory: Benchmark = async ({ log }) => {
  const { engine } = await openRuntime();
  const model = createClassifier('groupmixformer_miny', CLASSES);
  model.initialize(0);
  const step = trainStep<{ images: tf.Tensor4D; labels: tf.Tensor1D }>({
    module: model,
    loss: ({ images, labels }, seed) => ({
      loss: crossEntropy(model.forward(images, new ForwardPass({ mode: 'train', seed })), labels),
    }),
    optimizer: adamW(model.parameters(), {}),
    clipGradNorm: 5,
    emaDecay: 0.999,
  });

  const run = async (update: number): Promise<void> => {
    const images = tf.randomNormal<tf.Rank.R4>([BATCH, SIZE, SIZE, 3], 0, 1, 'float32', update);
    const labels = tf.tensor1d(
      Array.from({ length: BATCH }, (_, i) => (update + i) % CLASSES),
      'int32',
    );
    const values = step.run([{ images, labels }], { update, lr: 1e-3, seed: 0 });
    await values['loss']!.data();
    tf.dispose([images, labels, values]);
  };

  for (let update = 0; update < WARM_UP; update++) await run(update);
  const before = { tensors: tf.memory().numTensors, rss: process.memoryUsage().rss };
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  for (let update = WARM_UP; update < WARM_UP + STEPS; update++) await run(update);
  const wallMs = (performance.now() - wall) / STEPS;
  const cpuMs = process.cpuUsage(cpu).user / 1e3 / STEPS;
  const after = { tensors: tf.memory().numTensors, rss: process.memoryUsage().rss };
  const growth = (100 * (after.rss - before.rss)) / before.rss;
  log(
    `${STEPS} steps: ${before.tensors} tensors before, ${after.tensors} after; resident memory ${growth.toFixed(1)} %`,
  );
  const peakMB = process.resourceUsage().maxRSS / 1024;
  const mode = `train, memory ${growth.toFixed(1)} %, tensors +${after.tensors - before.tensors}`;
  return [
    { case: `groupmixformer_miny ${SIZE} batch ${BATCH}`, engine, mode, wallMs, cpuMs, peakMB, ratioToPeer: null },
  ];
};
