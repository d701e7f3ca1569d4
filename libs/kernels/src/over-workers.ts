/** Sums over the processes that run one step together (synchronous data parallelism, Goyal et al. 2017, section 4). */
import * as tf from '@tensorflow/tfjs-core';
import { engineBackend } from './engine';

/** Bytes that go over the network together: what is smaller pays for the waiting, what is larger waits for its last gradient. */
const BUCKET = 4 * 2 ** 20;

/** How many processes run the step that is being recorded; 1 where nothing is, or one process alone. */
export function processes(): number {
  return engineBackend()?.binding.recording?.workers ?? 1;
}

/**
 * The sum of every worker's x, the same bits at all of them; x itself in a step of one process. Carries no gradient.
 * @param x float32, of the same shape at every worker.
 */
export function sum<T extends tf.Tensor>(x: T): T {
  return reduce(x, 'sum');
}

/** The mean of every worker's x; else as `sum`. */
export function mean<T extends tf.Tensor>(x: T): T {
  return reduce(x, 'mean');
}

/**
 * What the sum of a loss is divided by, so that the mean of the workers' losses is the loss of their batches joined: the
 * count of all workers, shared evenly. In a step of one process, the count itself.
 * @param own float32 scalar, of this worker's batch. @param atLeast of the batches joined.
 */
export function count(own: tf.Scalar, atLeast = 0): tf.Scalar {
  return tf.tidy(() => {
    const total = sum(own);
    const bounded: tf.Scalar = atLeast === 0 ? total : tf.maximum(total, atLeast);
    return processes() === 1 ? bounded : tf.div<tf.Scalar>(bounded, processes());
  });
}

/**
 * Sums or means of many tensors, packed into few so that each transfer is worth its waiting. They go in the order given.
 * @param tensors float32, of the same shapes at every worker. @param bucketBytes of a packed one.
 */
export function all(tensors: readonly tf.Tensor[], how: 'sum' | 'mean', bucketBytes: number = BUCKET): tf.Tensor[] {
  if (processes() === 1) return [...tensors];
  return bucketsOf(tensors, bucketBytes).flatMap((bucket) => reducePacked(bucket, how));
}

function bucketsOf(tensors: readonly tf.Tensor[], bytes: number): tf.Tensor[][] {
  const buckets: tf.Tensor[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    const size = 4 * tensor.size;
    if (size > room) {
      buckets.push([]);
      room = Math.max(bytes, size);
    }
    buckets.at(-1)!.push(tensor);
    room -= size;
  }
  return buckets;
}

function reducePacked(bucket: readonly tf.Tensor[], how: 'sum' | 'mean'): tf.Tensor[] {
  const [first, ...others] = bucket;
  if (first !== undefined && others.length === 0) return [reduce(first, how)];
  const joined = reduce(tf.concat1d(bucket.map((tensor) => tf.reshape(tensor, [-1]))), how);
  const parts = tf.split(joined, bucket.map(({ size }) => size)); // prettier-ignore
  return parts.map((part, i) => tf.reshape(part, bucket[i]!.shape));
}

function reduce<T extends tf.Tensor>(x: T, how: 'sum' | 'mean'): T {
  const backend = engineBackend();
  const recording = backend?.binding.recording;
  if (backend === null || recording === undefined || recording.workers === 1) return x;
  const [id] = backend.getInputTensorIds([x]) as [number];
  return backend.createOutputTensor(recording.reduceOverWorkers(id, how)) as T;
}
