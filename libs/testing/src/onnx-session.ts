/** ONNX models run by ONNX Runtime's WebAssembly. */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type * as tf from '@tensorflow/tfjs-core';

/** A tensor that a model gives. */
export interface OnnxResult {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

const WORKER = join(__dirname, '../onnx-worker.mjs');

/** What the model in a file gives, by the names of its outputs. */
export async function runOnnx(
  file: string,
  tensors: Readonly<Record<string, tf.Tensor>>,
): Promise<Readonly<Record<string, OnnxResult>>> {
  const inputs = Object.entries(tensors).map(([name, tensor]) => {
    return { name, type: tensor.dtype, values: tensor.dataSync(), shape: tensor.shape };
  });
  const worker = new Worker(WORKER, { workerData: { file, inputs } });
  const [results] = (await once(worker, 'message')) as [Record<string, OnnxResult>];
  await worker.terminate();
  return results;
}
