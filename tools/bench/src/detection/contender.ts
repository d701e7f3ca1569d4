/**
 * Training steps of a detector in a process of their own: `contender.ts CASE`, the case in JSON. Prints a line of JSON:
 * times, and what the process held at most and in the course of the steps. With `profile` it prints in its place where the
 * time of a step goes.
 */
import { assembleDetector, detectionSchema } from '@pyramidal/detection';
import { randomKeys } from '@pyramidal/detector';
import { loadConfig } from '@pyramidal/config';
import { operationOf, traceSteps } from '@pyramidal/graph';
import { ForwardPass, nameModules } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { adamW, trainStep } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { moduleOf, type Naming, printTimes, scopeParts } from '../print-times';
import { randomBatch } from './random-batch';

export interface DetectionCase {
  readonly config: string;
  readonly set: readonly string[];
  readonly height: number;
  readonly width: number;
  readonly batch: number;
  /** Measured ones, after those that settle allocators and caches. */
  readonly steps: number;
  readonly warmUp: number;
  readonly profile?: boolean;
}

export interface DetectionAnswer {
  readonly engine: string;
  /** Time of one step. */
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Recording included. */
  readonly peakMB: number;
  /** Over the measured steps: resident memory in percent, and tensors. */
  readonly growth: number;
  readonly tensors: number;
}

const CLASSES = 80;

/** The backbone, the neck, and the parts of heads or transformers, their gradients among them. */
const partOf: Naming = (entry) => {
  const [phase, module] = scopeParts(entry);
  return module === undefined ? phase : /^(backbone|neck|[^.]*(\.[a-z_]+)?)/i.exec(module)![0];
};

async function main(one: DetectionCase): Promise<void> {
  const { engine } = await openRuntime();
  const run = startCase(one);
  if (one.profile === true) return profile(run);
  console.log(JSON.stringify({ engine, ...measure(run, one) } satisfies DetectionAnswer));
}

/** @returns what runs an update. */
function startCase({ config: file, set, profile, ...size }: DetectionCase): (update: number) => void {
  const { config } = loadConfig(detectionSchema, file, { set });
  const detector = assembleDetector(config, CLASSES);
  detector.initialize(0);
  if (profile === true) nameModules(detector);
  const batch = randomBatch(size, CLASSES);
  const { recompute } = config.train;
  const step = trainStep<typeof batch>({
    module: detector,
    loss: ({ images, sizes, ...truth }, seed) =>
      detector.loss({ images, sizes }, truth, randomKeys(seed), new ForwardPass({ mode: 'train', seed, recompute })),
    optimizer: adamW(detector.parameters(), {}),
  });
  return (update) => {
    const values = step.run([batch], { update, lr: 1e-4, seed: 0 });
    values['loss']!.dataSync();
    tf.dispose(values);
  };
}

function measure(run: (update: number) => void, { steps, warmUp }: DetectionCase): Omit<DetectionAnswer, 'engine'> {
  for (let update = 0; update < warmUp; update++) run(update);
  const before = { tensors: tf.memory().numTensors, rss: process.memoryUsage().rss };
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  for (let update = 0; update < steps; update++) run(warmUp + update);
  return {
    wallMs: (performance.now() - wall) / steps,
    cpuMs: process.cpuUsage(cpu).user / 1e3 / steps,
    peakMB: process.resourceUsage().maxRSS / 1024,
    growth: 100 * (process.memoryUsage().rss / before.rss - 1),
    tensors: tf.memory().numTensors - before.tensors,
  };
}

function profile(run: (update: number) => void): void {
  // The first run records, and the first that is traced optimizes the graph once more.
  run(0);
  traceSteps(() => run(1));
  const entries = traceSteps(() => run(2));
  for (const [title, naming] of [
    ['by part', partOf],
    ['by operation', operationOf],
    ['by module', moduleOf],
  ] as const)
    printTimes(title, entries, naming);
}

void main(JSON.parse(process.argv[2]!) as DetectionCase);
