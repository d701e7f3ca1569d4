/**
 * A process of the benchmark of many workers: `contender.ts VARIANT BATCH ROUNDS BYTES...` trains GroupMixFormer on one thread,
 * alone or in the place that the environment gives. A round is a step that talks to nobody, and one with each size of the packed
 * gradients; all workers begin each of them together. Prints a line of JSON.
 */
import { readFileSync } from 'node:fs';
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
  readonly parameters: number;
  readonly peakMB: number;
  /** The step that talks to nobody first, then one for each size. */
  readonly modes: readonly Mode[];
}

export interface Mode {
  /** 0: nothing is exchanged. */
  readonly bucketBytes: number;
  /** Of each round. */
  readonly wallMs: readonly number[];
  readonly cpuMs: readonly number[];
  /** Bytes that the machine's loopback carried meanwhile, of all processes; empty where the system does not tell. */
  readonly loopbackBytes: readonly number[];
}

async function main([variant, batch, rounds, ...buckets]: string[]): Promise<void> {
  await openRuntime({ engine: 'tensorflow', threads: 1 });
  const place = findPlace();
  const workers = place && (await joinWorkers(place));
  const model = createClassifier(variant as keyof typeof VARIANTS, CLASSES);
  model.initialize(1);
  const images = tf.randomUniform<tf.Rank.R4>([Number(batch), SIZE, SIZE, 3], -1, 1, 'float32', 1);
  const labels = tf.range(0, Number(batch), 1, 'int32');
  const together = (): void => void workers?.exchange('');

  const modes = [0, ...buckets.map(Number)].map((bucketBytes) => {
    const step = trainStep<{ images: tf.Tensor4D; labels: tf.Tensor1D }>({
      module: model,
      optimizer: adamW(model.parameters()),
      clipGradNorm: 5,
      loss: (inputs, seed) => {
        const logits = model.forward(inputs.images, new ForwardPass({ mode: 'train', seed }));
        return { loss: crossEntropy(logits, inputs.labels) };
      },
      workers:
        bucketBytes === 0
          ? undefined
          : workers && { session: workers.session, seedOf: (seed, i) => [seed, i], bucketBytes },
    });
    let update = 0;
    const run = (): void => {
      const values = step.run([{ images, labels }], { update: update++, lr: 1e-4, seed: 1 });
      values['loss']!.dataSync();
      tf.dispose(values);
    };
    return { bucketBytes, run, wallMs: [] as number[], cpuMs: [] as number[], loopbackBytes: [] as number[] };
  });

  // The first run records, the second settles memory.
  for (let i = 0; i < 2; i++) for (const { run } of modes) run();
  for (let round = 0; round < Number(rounds); round++) {
    for (const { run, wallMs, cpuMs, loopbackBytes } of modes) {
      together();
      const [bytes, cpu, start] = [loopback(), process.cpuUsage(), performance.now()];
      run();
      wallMs.push(performance.now() - start);
      const { user, system } = process.cpuUsage(cpu);
      cpuMs.push((user + system) / 1000);
      together();
      if (bytes !== undefined) loopbackBytes.push(loopback()! - bytes);
    }
  }
  const found: Measured = {
    parameters: model.parameterCount(),
    peakMB: process.resourceUsage().maxRSS / 1024,
    modes: modes.map(({ run: _run, ...mode }) => mode),
  };
  console.log(JSON.stringify(found));
  await workers?.leave();
  process.exit(0);
}

/** Bytes that came in over loopback since the machine started, as Linux tells them. */
function loopback(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  return Number(/^\s*lo:\s*(\d+)/m.exec(readFileSync('/proc/net/dev', 'utf8'))?.[1]);
}

void main(process.argv.slice(2));
