/**
 * Forward passes and training steps of one network in a process of their own: `speed-contender.ts JSON`, the case in JSON.
 * Prints a line of JSON; `peers/card_contender.py` does the same in PyTorch.
 */
import { createClassifier } from '@pyramidal/backbones';
import { loadConfig } from '@pyramidal/config';
import { assembleDetector, detectionSchema } from '@pyramidal/detection';
import { randomKeys } from '@pyramidal/detector';
import { compile, type Precision, type TensorTree } from '@pyramidal/graph';
import { crossEntropy, ForwardPass, inferencePass, type Module } from '@pyramidal/nn';
import { openRuntime, type Engine } from '@pyramidal/runtime';
import { assembleSegmentor, segmentationSchema } from '@pyramidal/segmentation';
import { adamW, trainStep, type Batch, type Losses } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { join } from 'node:path';
import { cardMemoryMB } from './card-memory';
import { randomBatch } from '../detection/random-batch';

export interface SpeedCase {
  readonly network: 'classifier' | 'mask-rcnn' | 'upernet';
  readonly backbone: 'groupmixformer_tiny' | 'groupmixformer_small';
  readonly batch: number;
  readonly height: number;
  readonly width: number;
}

export interface SpeedTask extends SpeedCase {
  readonly engine: Engine;
  readonly precision: Precision;
  /** Of each of the two measurements, after what settles. */
  readonly seconds: number;
}

/** Medians, and the most memory up to then: the card's, or the process's where there is no card. */
export interface SpeedAnswer {
  readonly forwardMs: number;
  readonly trainMs: number;
  readonly forwardMB: number;
  readonly trainMB: number;
}

const CONFIGS = join(__dirname, '../../../../configs');
const CLASSES = { classifier: 1000, 'mask-rcnn': 80, upernet: 150 } as const;

/** A network on one batch. */
interface Work<B extends Batch> {
  readonly module: Module;
  readonly batch: B;
  readonly forward: (batch: B) => TensorTree;
  readonly loss: (batch: B, seed: tf.Tensor1D) => Losses;
}

const training = (seed: tf.Tensor1D): ForwardPass => new ForwardPass({ mode: 'train', seed });
const noise = ({ batch, height, width }: SpeedCase): tf.Tensor4D =>
  tf.randomNormal([batch, height, width, 3], 0, 1, 'float32', 1);

function classifierWork(size: SpeedCase): Work<{ images: tf.Tensor4D; labels: tf.Tensor1D }> {
  const module = createClassifier(size.backbone, CLASSES.classifier);
  return {
    module,
    batch: { images: noise(size), labels: tf.range(0, size.batch, 1, 'int32') },
    forward: ({ images }) => ({ logits: module.forward(images, inferencePass()) }),
    loss: ({ images, labels }, seed) => ({ loss: crossEntropy(module.forward(images, training(seed)), labels) }),
  };
}

function segmentorWork(size: SpeedCase): Work<{ images: tf.Tensor4D; labels: tf.Tensor3D }> {
  const set = [`model.backbone.name=${size.backbone}`];
  const { config } = loadConfig(segmentationSchema, join(CONFIGS, 'segmentation/upernet_160k.yaml'), { set });
  const module = assembleSegmentor(config, CLASSES.upernet);
  const cells: [number, number, number] = [size.batch, size.height, size.width];
  return {
    module,
    batch: { images: noise(size), labels: tf.ones<tf.Rank.R3>(cells, 'int32') },
    forward: ({ images }) => ({ logits: module.forward(images, inferencePass()) }),
    loss: ({ images, labels }, seed) => module.loss(images, labels, training(seed)),
  };
}

function detectorWork(size: SpeedCase): Work<ReturnType<typeof randomBatch>> {
  // As PyTorch's, it keeps what the backward pass reads.
  const set = [`model.backbone.name=${size.backbone}`, 'model.detector.sampling=2', 'train.recompute=false'];
  const { config } = loadConfig(detectionSchema, join(CONFIGS, 'detection/mask-rcnn_1x.yaml'), { set });
  const module = assembleDetector(config, CLASSES['mask-rcnn']);
  return {
    module,
    batch: randomBatch(size, CLASSES['mask-rcnn']),
    forward: ({ images, sizes }) => {
      const found = module.predict({ images, sizes }, tf.onesLike(sizes), inferencePass());
      return { boxes: found.map(({ boxes }) => boxes), masks: found.flatMap(({ masks }) => masks ?? []) };
    },
    loss: ({ images, sizes, ...truth }, seed) =>
      module.loss({ images, sizes }, truth, randomKeys(seed), training(seed)),
  };
}

async function main(task: SpeedTask): Promise<void> {
  await openRuntime({ engine: task.engine });
  console.log(JSON.stringify(await NETWORKS[task.network](task)));
}

const NETWORKS: Readonly<Record<SpeedCase['network'], (task: SpeedTask) => Promise<SpeedAnswer>>> = {
  classifier: (task) => measure(classifierWork(task), task),
  upernet: (task) => measure(segmentorWork(task), task),
  'mask-rcnn': (task) => measure(detectorWork(task), task),
};

async function measure<B extends Batch>(
  { module, batch, forward, loss }: Work<B>,
  { engine, precision, seconds }: SpeedTask,
): Promise<SpeedAnswer> {
  module.initialize(1);
  const predict = compile((inputs: tf.NamedTensorMap) => forward(inputs as B), { name: 'forward', precision });
  const forwardMs = await medianMs(seconds, () => readAll(predict(batch)));
  predict.dispose();
  const forwardMB = memoryMB(engine);
  const step = trainStep<B>({ module, loss, optimizer: adamW(module.parameters()), clipGradNorm: 5, precision });
  let update = 0;
  const trainMs = await medianMs(seconds, () => readAll(step.run([batch], { update: update++, lr: 1e-4, seed: 0 })));
  return { forwardMs, trainMs, forwardMB, trainMB: memoryMB(engine) };
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

/** Two runs count for nothing: the first records, and both allocate. */
async function medianMs(seconds: number, run: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  const timed = async (): Promise<number> => {
    const start = performance.now();
    await run();
    return performance.now() - start;
  };
  await timed();
  await timed();
  for (const start = performance.now(); times.length < 3 || performance.now() - start < 1000 * seconds;)
    times.push(await timed());
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

main(JSON.parse(process.argv[2]!) as SpeedTask).catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
