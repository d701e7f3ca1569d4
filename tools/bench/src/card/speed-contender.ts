/**
 * Forward passes and training steps of one network in a process of their own: `speed-contender.ts JSON`, the case in JSON.
 * Prints `{"ready":true}` when all has run, waits for a line on its input, and prints its times as a line of JSON;
 * `peers/card_contender.py` does the same in PyTorch.
 */
import { compile, traceSteps, type Precision, type SessionConfig, type TensorTree } from '@pyramidal/graph';
import { openRuntime, type Engine } from '@pyramidal/runtime';
import { adamW, trainStep, type Batch } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { once } from 'node:events';
import { cardMemoryMB } from './card-memory';
import { timelineOf, type Timeline } from './timeline';
import { classifierWork, detectorWork, segmentorWork, type SpeedCase, type Work } from './works';

export interface SpeedTask extends SpeedCase {
  readonly engine: Engine;
  readonly precision: Precision;
  readonly xla: boolean;
  /** Of each of the two measurements, after what settles. */
  readonly seconds: number;
}

/** Medians, and the most memory: the card's, or the process's where there is no card. */
export interface SpeedAnswer {
  readonly forwardMs: number;
  readonly trainMs: number;
  readonly memoryMB: number;
  /** Of a training step in bf16, where steps are graphs. */
  readonly timeline?: Timeline;
  /** Why the process ended early, after its times. */
  readonly fault?: string;
}

async function main(task: SpeedTask): Promise<void> {
  await openRuntime({ engine: task.engine });
  await NETWORKS[task.network](task);
}

const NETWORKS: Readonly<Record<SpeedCase['network'], (task: SpeedTask) => Promise<void>>> = {
  classifier: (task) => measure(classifierWork(task), task),
  upernet: (task) => measure(segmentorWork(task), task),
  'mask-rcnn': (task) => measure(detectorWork(task), task),
};

async function measure<B extends Batch>(
  { module, batch, forward, loss }: Work<B>,
  { engine, precision, xla, seconds, layout }: SpeedTask,
): Promise<void> {
  module.initialize(1);
  const session: SessionConfig = layout === undefined ? {} : { rewriting: { without: ['layout'] } };
  const options = { name: 'forward', precision, session: { ...session, xla } };
  const predict = compile((inputs: tf.NamedTensorMap) => forward(inputs as B), options);
  const optimizer = adamW(module.parameters());
  const step = trainStep<B>({ module, loss, optimizer, clipGradNorm: 5, precision, xla, session });
  let update = 0;
  const train = (): tf.NamedTensorMap => step.run([batch], { update: update++, lr: 1e-4, seed: 0 });
  // The first records, and both allocate.
  for (const run of [() => predict(batch), train]) for (let i = 0; i < 2; i++) await readAll(run());
  await turn();
  const forwardMs = await medianMs(seconds, () => readAll(predict(batch)));
  const trainMs = await medianMs(seconds, () => readAll(train()));
  const answer: SpeedAnswer = { forwardMs, trainMs, memoryMB: memoryMB(engine) };
  console.log(JSON.stringify(answer)); // what follows asks the driver for more, which not every machine allows
  // The graph is optimized once more for it, which takes as long as the rest.
  if (engine === 'webgpu' || precision !== 'bf16') return;
  console.log(JSON.stringify({ ...answer, timeline: timelineOf(traceSteps(() => tf.dispose(train()))) }));
}

/** Waits until no other process gets ready or is timed. */
async function turn(): Promise<void> {
  console.log(JSON.stringify({ ready: true }));
  await once(process.stdin, 'data');
  process.stdin.destroy();
}

/** What TensorFlow.js tells of a card. */
interface CardMemory extends tf.MemoryInfo {
  readonly numBytesAllocatedInGPU: number;
}

/** The most up to now; of a card through TensorFlow, what all of its users hold. */
function memoryMB(engine: Engine): number {
  if (engine === 'tensorflow-gpu') return cardMemoryMB() ?? NaN;
  // Buffers are used again, and none is given back.
  if (engine === 'webgpu') return (tf.memory() as CardMemory).numBytesAllocatedInGPU / 2 ** 20;
  return process.resourceUsage().maxRSS / 1024;
}

/** Waits for the results, as a caller that looks at them does. */
async function readAll(outputs: TensorTree): Promise<void> {
  const tensors = Object.values(outputs).flat();
  for (const tensor of tensors) await tensor.data();
  tf.dispose(tensors);
}

async function medianMs(seconds: number, run: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  const timed = async (): Promise<number> => {
    const start = performance.now();
    await run();
    return performance.now() - start;
  };
  for (const start = performance.now(); times.length < 3 || performance.now() - start < 1000 * seconds;)
    times.push(await timed());
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

main(JSON.parse(process.argv[2]!) as SpeedTask).catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
