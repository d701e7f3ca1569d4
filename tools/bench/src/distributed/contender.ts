/**
 * A process of the benchmark of many workers: `contender.ts VARIANT BATCH STEPS BYTES...` trains GroupMixFormer so many steps
 * with each size of the packed gradients, on one thread, alone or in the place that the environment gives. Prints for each a
 * line of JSON.
 */
import { createClassifier, type VARIANTS } from '@pyramidal/backbones';
import { findPlace, joinWorkers } from '@pyramidal/distributed';
import { crossEntropy, ForwardPass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { adamW, trainStep } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';

const SIZE = 224;
const CLASSES = 1000;

/** What a process measured. */
export interface Measured {
  readonly bucketBytes: number;
  readonly parameters: number;
  readonly wallMs: readonly number[];
  readonly cpuMs: number;
  readonly peakMB: number;
}

async function main([variant, batch, steps, ...buckets]: string[]): Promise<void> {
  await openRuntime({ engine: 'tensorflow', threads: 1 });
  const place = findPlace();
  const workers = place && (await joinWorkers(place));
  const model = createClassifier(variant as keyof typeof VARIANTS, CLASSES);
  model.initialize(1);
  const images = tf.randomUniform<tf.Rank.R4>([Number(batch), SIZE, SIZE, 3], -1, 1, 'float32', 1);
  const labels = tf.range(0, Number(batch), 1, 'int32');
  for (const bucketBytes of buckets.map(Number)) {
    const step = trainStep<{ images: tf.Tensor4D; labels: tf.Tensor1D }>({
      module: model,
      optimizer: adamW(model.parameters()),
      clipGradNorm: 5,
      loss: (inputs, seed) => {
        const logits = model.forward(inputs.images, new ForwardPass({ mode: 'train', seed }));
        return { loss: crossEntropy(logits, inputs.labels) };
      },
      workers: workers && { session: workers.session, seedOf: (seed, i) => [seed, i], bucketBytes },
    });
    const run = (update: number): number => {
      const start = performance.now();
      const values = step.run([{ images, labels }], { update, lr: 1e-4, seed: 1 });
      values['loss']!.dataSync();
      tf.dispose(values);
      return performance.now() - start;
    };
    // The first records, the second settles memory.
    for (let update = 0; update < 2; update++) run(update);
    workers?.exchange('');
    const cpu = process.cpuUsage();
    const wallMs = Array.from({ length: Number(steps) }, (_, i) => run(i + 2));
    const { user, system } = process.cpuUsage(cpu);
    const cpuMs = (user + system) / 1000 / Number(steps);
    const found: Measured = {
      ...{ bucketBytes, wallMs, cpuMs },
      parameters: model.parameterCount(),
      peakMB: process.resourceUsage().maxRSS / 1024,
    };
    console.log(JSON.stringify(found));
    step.dispose();
  }
  await workers?.leave();
  process.exit(0);
}

void main(process.argv.slice(2));
