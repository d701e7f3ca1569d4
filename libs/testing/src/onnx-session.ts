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

/** Loading ONNX Runtime takes seconds, so that one thread runs the models of a spec file. */
let thread: Worker | undefined;

/** What the model in a file gives, by the names of its outputs; one model at a time. */
export async function runOnnx(
  file: string,
  tensors: Readonly<Record<string, tf.Tensor>>,
): Promise<Readonly<Record<string, OnnxResult>>> {
  const inputs = Object.entries(tensors).map(([name, tensor]) => {
    return { name, type: tensor.dtype, values: tensor.dataSync(), shape: tensor.shape };
  });
  thread ??= new Worker(WORKER);
  thread.postMessage({ file, inputs });
  try {
    const [results] = (await once(thread, 'message')) as [Record<string, OnnxResult>];
    return results;
  } catch (error) {
    thread = undefined; // it ended with the model that it could not run
    throw error;
  }
}

/** Ends the thread that runs models, where there is one. */
export async function closeOnnx(): Promise<void> {
  await thread?.terminate();
  thread = undefined;
}
