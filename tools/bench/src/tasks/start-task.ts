/** What the benchmark of whole tasks runs. */
import { detectorWork, segmentorWork, type Work } from '../card/works';
import { openDetector } from '@pyramidal/detection';
import { compile } from '@pyramidal/graph';
import { nameModules } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { openSegmentor } from '@pyramidal/segmentation';
import { adamW, trainStep, type Batch } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import type { TaskCase } from '../tasks';

/** So many pictures of a size come before it is worth a graph. */
const BEFORE_A_GRAPH = 3;

/** @returns what runs it once. */
export async function startTask(which: TaskCase, weights: string): Promise<() => void | Promise<void>> {
  if (which.task === 'predict') return startPrediction(which, weights);
  return startNetwork(which);
}

/** The training step alone, or the forward pass of a prediction, for which the size is that of the network's input. */
export async function startNetwork(which: TaskCase, isNamed = false): Promise<() => void> {
  await openRuntime({ engine: 'tensorflow', threads: Number(process.env['OMP_NUM_THREADS'] ?? 2) });
  const size = { ...which, backbone: 'groupmixformer_tiny' } as const;
  const start = which.task === 'train' ? startTraining : startForward;
  return which.network === 'upernet' ? start(segmentorWork(size), isNamed) : start(detectorWork(size), isNamed);
}

async function startPrediction({ network, height, width }: TaskCase, weights: string): Promise<() => Promise<void>> {
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 2654435761) >>> 24);
  const image = { data, height, width };
  const options = { engine: 'tensorflow', threads: Number(process.env['OMP_NUM_THREADS'] ?? 2) } as const;
  const predict = network === 'upernet' ? await segmenting(weights, options) : await detecting(weights, options);
  let told = '';
  for (let i = 0; i < BEFORE_A_GRAPH; i++) told = await predict(image);
  console.error(`tasks: ours: ${told}`);
  return async () => void (await predict(image));
}

type Picture = { readonly data: Uint8Array; readonly height: number; readonly width: number };
type Options = Parameters<typeof openDetector>[1];

async function detecting(weights: string, options: Options): Promise<(image: Picture) => Promise<string>> {
  const detector = await openDetector(weights, options);
  return async (image) => {
    const [found] = await detector.detect([image]);
    const { objects } = found!;
    return `${objects.length} detections, ${objects.filter(({ mask }) => mask !== undefined).length} masks`;
  };
}

async function segmenting(weights: string, options: Options): Promise<(image: Picture) => Promise<string>> {
  const segmentor = await openSegmentor(weights, options);
  return async (image) => {
    const [found] = await segmentor.segment([image]);
    const { map, segments } = found!;
    return `${map.length} pixels of ${segments.length} classes`;
  };
}

function startTraining<B extends Batch>({ module, batch, loss }: Work<B>, isNamed: boolean): () => void {
  module.initialize(1);
  if (isNamed) nameModules(module);
  const step = trainStep<B>({ module, loss, optimizer: adamW(module.parameters()), clipGradNorm: 5 });
  let update = 0;
  return () => {
    const values = step.run([batch], { update: update++, lr: 1e-4, seed: 0 });
    for (const value of Object.values(values)) value.dataSync();
    tf.dispose(values);
  };
}

function startForward<B extends Batch>({ module, batch, forward }: Work<B>, isNamed: boolean): () => void {
  module.initialize(1);
  if (isNamed) nameModules(module);
  const predict = compile((inputs: tf.NamedTensorMap) => forward(inputs as B), { name: 'forward' });
  return () => {
    const outputs = Object.values(predict(batch)).flat();
    for (const output of outputs) output.dataSync();
    tf.dispose(outputs);
  };
}
